//! Members that the command line sets up.

use crate::change::{Subject, Told};
use crate::error::{Noun, ServiceResult};
use crate::sign_in::valid_email;
use crate::sign_up::new_superuser;
use crate::{Service, passwords};
use flagstaff_core::{Member, OrganisationId, Role};
use flagstaff_store::NewMember;
use secrecy::SecretString;

impl Service {
    /// Finds or makes a superuser who is admin of an organisation: for set-up by scripts. The password of one who
    /// is there already is set only when one is given; the answer says whether the member is new.
    ///
    /// # Errors
    /// An invalid e-mail address or password, and failures of the database.
    pub async fn ensure_admin(
        &self,
        organisation: OrganisationId,
        email: &str,
        password: Option<SecretString>,
    ) -> ServiceResult<(Member, bool)> {
        let email = valid_email(email)?;
        let hash = match password {
            Some(password) => Some(passwords::hash(password).await?),
            None => None,
        };
        let now = self.clock().now();
        let found = self.store().member_for_sign_in(&email).await?;
        let is_new = found.is_none();
        let mut write = self.store().write().await?;
        let member = match found {
            Some((member, _)) => {
                if let Some(hash) = &hash {
                    write.update_password(member.id, hash).await?;
                }
                member
            }
            None => {
                let new = NewMember {
                    password_hash: hash,
                    ..new_superuser(email, String::new())
                };
                write.insert_member(&new, now).await?
            }
        };
        write
            .insert_membership(organisation, member.id, Role::Admin, now)
            .await?;
        // The operator's word for it.
        write.verify_email(member.id, now).await?;
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid).saying(format!(
            "Member set up by the command line: {}",
            member.email
        ));
        self.finish(write, None, Subject::members_of(organisation), told)
            .await?;
        Ok((member, is_new))
    }
}

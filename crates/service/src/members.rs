//! Members: how the first one comes about.

use crate::change::{Subject, Told};
use crate::error::{Noun, ServiceResult};
use crate::sign_in::valid_email;
use crate::{Service, passwords};
use flagstaff_core::{Member, OrganisationId, Role};
use flagstaff_store::NewMember;
use secrecy::SecretString;
use uuid::Uuid;

impl Service {
    /// Makes the first member: superuser, and admin of every organisation there is.
    pub(crate) async fn insert_first_member(&self, new: NewMember) -> ServiceResult<Member> {
        let organisations = self.store().all_organisations().await?;
        let now = self.clock().now();
        let mut write = self.store().write().await?;
        let member = write.insert_member(&new, now).await?;
        for organisation in &organisations {
            write
                .insert_membership(organisation.id, member.id, Role::Admin, now)
                .await?;
        }
        let told = Told::created(Noun::Member, member.id.get(), member.uuid)
            .saying(format!("First member signed up: {}", member.email));
        self.finish(write, None, Subject::installation(), told)
            .await?;
        Ok(member)
    }

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
                    uuid: Uuid::new_v4(),
                    email,
                    first_name: String::new(),
                    last_name: String::new(),
                    password_hash: hash,
                    is_superuser: true,
                    sign_up_type: None,
                };
                write.insert_member(&new, now).await?
            }
        };
        write
            .insert_membership(organisation, member.id, Role::Admin, now)
            .await?;
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid).saying(format!(
            "Member set up by the command line: {}",
            member.email
        ));
        self.finish(write, None, Subject::members_of(organisation), told)
            .await?;
        Ok((member, is_new))
    }
}

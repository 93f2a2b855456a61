//! Signing up: the first member always, whoever is invited, and anybody where the settings say so.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::letters::Wish;
use crate::sign_in::valid_email;
use crate::text_rules::check_name;
use crate::{Service, passwords, secrets};
use flagstaff_core::{Member, Role};
use flagstaff_store::{LinkPurpose, NewMember, StoreError};
use secrecy::SecretString;
use std::net::IpAddr;
use uuid::Uuid;

/// Characters each name of a member may have.
pub(crate) const NAME_LIMIT: usize = 150;

/// Somebody who wants to sign in from now on.
#[derive(Debug, Clone)]
pub struct SignUpRequest {
    /// Unique without regard to case.
    pub email: String,
    /// At least eight characters, and not what everybody tries first.
    pub password: SecretString,
    /// 1 to 150 characters.
    pub first_name: String,
    /// 1 to 150 characters.
    pub last_name: String,
    /// How they came here, in the words of the Flagsmith API.
    pub sign_up_type: Option<String>,
    /// What stands in the link they were invited with.
    pub invite: Option<String>,
    /// May do everything; only for the first member.
    pub is_superuser: bool,
}

impl Service {
    /// Makes a member and signs them in; the answer holds their token.
    ///
    /// The first member becomes admin of every organisation there is.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] where sign-up is closed, [`ServiceError::TooManyAttempts`], and invalid fields.
    pub async fn sign_up(
        &self,
        request: SignUpRequest,
        from: IpAddr,
    ) -> ServiceResult<(Member, SecretString)> {
        let member = self.sign_up_member(request, from).await?;
        let token = self.new_token(member.id).await?;
        Ok((member, token))
    }

    /// Makes a member, who is not signed in yet.
    ///
    /// # Errors
    /// As [`Service::sign_up`].
    pub async fn sign_up_member(
        &self,
        request: SignUpRequest,
        from: IpAddr,
    ) -> ServiceResult<Member> {
        let limit = self.config().sign_in.attempts_per_minute;
        self.attempts().count(from, self.clock().now(), limit)?;
        let is_first = !self.store().ever_had_members().await?;
        if !is_first && !self.may_sign_up(&request).await? {
            return Err(ServiceError::Forbidden);
        }
        if request.is_superuser && !is_first {
            return Err(ServiceError::invalid("superuser", Problem::NotFirstMember));
        }
        check_name("first_name", &request.first_name, NAME_LIMIT)?;
        check_name("last_name", &request.last_name, NAME_LIMIT)?;
        let email = valid_email(&request.email)?;
        if self.store().member_for_sign_in(&email).await?.is_some() {
            return Err(ServiceError::invalid("email", Problem::EmailTaken));
        }
        passwords::check_new_password("password", &request.password)?;
        let new_member = NewMember {
            uuid: Uuid::new_v4(),
            email,
            first_name: request.first_name,
            last_name: request.last_name,
            password_hash: Some(passwords::hash(request.password).await?),
            is_superuser: request.is_superuser,
            sign_up_type: request.sign_up_type,
        };
        let member = if is_first {
            self.insert_first_member(new_member).await?
        } else {
            // Whoever was invited has been vouched for.
            let waits = self.config().sign_in.activation && request.invite.is_none();
            self.insert_later_member(new_member, waits).await?
        };
        Ok(member)
    }

    /// Passes while nobody could ever sign in.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] from then on.
    pub async fn require_no_members(&self) -> ServiceResult<()> {
        if self.store().ever_had_members().await? {
            return Err(ServiceError::Forbidden);
        }
        Ok(())
    }

    /// Makes the first member, a superuser, and signs them in; the answer holds their token.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] when somebody was faster, [`ServiceError::TooManyAttempts`], an invalid address
    /// or password.
    pub async fn sign_up_superuser(
        &self,
        email: &str,
        password: SecretString,
        from: IpAddr,
    ) -> ServiceResult<(Member, SecretString)> {
        let limit = self.config().sign_in.attempts_per_minute;
        self.attempts().count(from, self.clock().now(), limit)?;
        self.require_no_members().await?;
        let email = valid_email(email)?;
        passwords::check_new_password("password", &password)?;
        let hash = passwords::hash(password).await?;
        let member = self.insert_first_member(new_superuser(email, hash)).await?;
        let token = self.new_token(member.id).await?;
        Ok((member, token))
    }

    async fn may_sign_up(&self, request: &SignUpRequest) -> ServiceResult<bool> {
        if self.config().sign_in.allow_sign_up {
            return Ok(true);
        }
        match &request.invite {
            Some(token) => self.is_invited(token, &request.email).await,
            None => Ok(false),
        }
    }

    /// True for what stands in a link that can be used: by anybody, or by whoever has this address.
    pub(crate) async fn is_invited(&self, token: &str, email: &str) -> ServiceResult<bool> {
        let link = self.store().invite_link_by_token(token).await?;
        if link.is_some_and(|link| !link.has_expired(self.clock().now())) {
            return Ok(true);
        }
        let digest = secrets::digest(token);
        let now = self.clock().now();
        let invite = self.store().invite_by_digest(&digest, now).await?;
        Ok(invite.is_some_and(|invite| invite.email.eq_ignore_ascii_case(email.trim())))
    }

    /// Makes a member; one who waits for activation may sign in when they have followed a link.
    async fn insert_later_member(&self, new: NewMember, waits: bool) -> ServiceResult<Member> {
        let mut write = self.store().write().await?;
        let inserted = write.insert_member(&new, self.clock().now()).await;
        let mut member = inserted.map_err(taken)?;
        let mut letters = Vec::new();
        if waits {
            write.update_activity(member.id, false).await?;
            member.is_active = false;
            letters.push(Wish::account_link(LinkPurpose::Activation, &member.email).event());
        }
        let told = Told::created(Noun::Member, member.id.get(), member.uuid)
            .saying(format!("Member signed up: {}", member.email));
        self.finish_with(write, None, Subject::installation(), vec![told], letters)
            .await?;
        Ok(member)
    }

    /// Makes the first member: admin of every organisation there is.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] when somebody else was faster.
    pub(crate) async fn insert_first_member(&self, new: NewMember) -> ServiceResult<Member> {
        let now = self.clock().now();
        // In turn from here: of two who sign up first, one is.
        let mut write = self.store().write().await?;
        if self.store().has_members().await? {
            return Err(ServiceError::Forbidden);
        }
        let organisations = self.store().all_organisations().await?;
        let member = write.insert_member(&new, now).await?;
        // Whoever comes first came by the machine itself.
        write.verify_email(member.id, now).await?;
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
}

/// A superuser to be made, without a name.
pub(crate) fn new_superuser(email: String, password_hash: String) -> NewMember {
    NewMember {
        uuid: Uuid::new_v4(),
        email,
        first_name: String::new(),
        last_name: String::new(),
        password_hash: Some(password_hash),
        is_superuser: true,
        sign_up_type: None,
    }
}

/// A conflict of members as what is wrong with the address.
pub(crate) fn taken(error: StoreError) -> ServiceError {
    match error {
        StoreError::Conflict { noun: Noun::Member } => {
            ServiceError::invalid("email", Problem::EmailTaken)
        }
        other => other.into(),
    }
}

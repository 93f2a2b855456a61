//! What members do with their own account.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::letters::Wish;
use crate::sign_in::valid_email;
use crate::sign_up::{NAME_LIMIT, taken};
use crate::text_rules::check_name;
use crate::{Caller, Service, passwords, secrets};
use flagstaff_core::{Member, OrganisationId};
use secrecy::SecretString;
use std::net::IpAddr;

/// Bytes of what a dashboard keeps of a member's first steps.
const ONBOARDING_LIMIT: usize = 20_000;

/// What of their account a member may change at any time; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberPatch {
    /// 1 to 150 characters.
    pub first_name: Option<String>,
    /// 1 to 150 characters.
    pub last_name: Option<String>,
}

impl Service {
    /// Changes the caller's names.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for a program, and invalid fields.
    pub async fn update_account(
        &self,
        caller: &Caller,
        patch: MemberPatch,
    ) -> ServiceResult<Member> {
        caller.require_person()?;
        let mut write = self.store().write().await?;
        let mut member = self.own_row(caller).await?;
        if let Some(name) = patch.first_name {
            check_name("first_name", &name, NAME_LIMIT)?;
            member.first_name = name;
        }
        if let Some(name) = patch.last_name {
            check_name("last_name", &name, NAME_LIMIT)?;
            member.last_name = name;
        }
        write.update_member(&member).await?;
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid)
            .saying(format!("Member updated: {}", member.email));
        self.finish(write, Some(caller), Subject::installation(), told)
            .await?;
        Ok(member)
    }

    /// What a dashboard keeps of the caller's first steps: JSON.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for a program.
    pub async fn onboarding(&self, caller: &Caller) -> ServiceResult<Option<String>> {
        let id = caller.require_person()?.id;
        Ok(self.store().onboarding(id).await?)
    }

    /// Keeps it: up to 20,000 bytes of JSON.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for a program, and JSON that is too long.
    pub async fn keep_onboarding(&self, caller: &Caller, json: &str) -> ServiceResult<()> {
        let member = caller.require_person()?;
        if json.len() > ONBOARDING_LIMIT {
            let limit = ONBOARDING_LIMIT;
            return Err(ServiceError::invalid(
                "onboarding",
                Problem::TooLong { limit },
            ));
        }
        let mut write = self.store().write().await?;
        write.update_onboarding(member.id, json).await?;
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid)
            .saying(format!("First steps noted: {}", member.email));
        self.finish(write, Some(caller), Subject::installation(), told)
            .await
    }

    /// Changes the caller's e-mail address at once, as the Flagsmith API has it; the one before is told by mail.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for a program, a wrong password, an invalid or taken address, and
    /// [`ServiceError::TooManyAttempts`].
    pub async fn change_email(
        &self,
        caller: &Caller,
        email: &str,
        password: SecretString,
        from: IpAddr,
    ) -> ServiceResult<()> {
        self.check_own_password(caller, password, from).await?;
        let email = valid_email(email)
            .map_err(|_| ServiceError::invalid("new_email", Problem::InvalidEmail))?;
        let mut write = self.store().write().await?;
        let mut member = self.own_row(caller).await?;
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid).saying(format!(
            "E-mail address changed: {} to {email}",
            member.email
        ));
        let before = std::mem::replace(&mut member.email, email);
        write
            .update_member(&member)
            .await
            .map_err(|error| match taken(error) {
                ServiceError::Invalid { problem, .. } => {
                    ServiceError::invalid("new_email", problem)
                }
                other => other,
            })?;
        write.delete_account_links(member.id).await?;
        let letters = self.letters(vec![Wish::EmailChanged { email: before }]);
        let subject = Subject::installation();
        self.finish_with(write, Some(caller), subject, vec![told], letters)
            .await
    }

    /// Changes the caller's password. Other tokens and every session end; `kept_token` stays.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for a program, a wrong or weak password, and [`ServiceError::TooManyAttempts`].
    pub async fn change_password(
        &self,
        caller: &Caller,
        password: SecretString,
        new_password: SecretString,
        kept_token: Option<&str>,
        from: IpAddr,
    ) -> ServiceResult<()> {
        let member = caller.require_person()?;
        self.check_own_password(caller, password, from).await?;
        passwords::check_new_password("new_password", &new_password)?;
        let hash = passwords::hash(new_password).await?;
        let mut write = self.store().write().await?;
        write.update_password(member.id, &hash).await?;
        let kept = kept_token.map(secrets::digest);
        write.end_sign_ins(member.id, kept.as_deref()).await?;
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid)
            .saying(format!("Password changed: {}", member.email));
        write.delete_account_links(member.id).await?;
        let email = member.email.clone();
        let letters = self.letters(vec![Wish::PasswordChanged { email }]);
        let subject = Subject::installation();
        self.finish_with(write, Some(caller), subject, vec![told], letters)
            .await
    }

    /// Deletes the caller's account; with it, where asked, the organisations nobody else belongs to.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for a program, a wrong password, and [`ServiceError::TooManyAttempts`].
    pub async fn delete_account(
        &self,
        caller: &Caller,
        password: SecretString,
        with_orphans: bool,
        from: IpAddr,
    ) -> ServiceResult<()> {
        let member = caller.require_person()?;
        self.check_own_password(caller, password, from).await?;
        if with_orphans {
            for orphan in self.only_in(caller).await? {
                self.delete_organisation(caller, orphan).await?;
            }
        }
        let mut write = self.store().write().await?;
        write.delete_member(member.id, self.clock().now()).await?;
        let told = Told::deleted(Noun::Member, member.id.get(), member.uuid)
            .saying(format!("Member deleted: {}", member.email));
        self.finish(write, Some(caller), Subject::installation(), told)
            .await
    }

    /// The organisations the caller is admin of and alone in.
    async fn only_in(&self, caller: &Caller) -> ServiceResult<Vec<OrganisationId>> {
        let mut orphans = Vec::new();
        for membership in caller.memberships() {
            let id = membership.organisation_id;
            if caller.require_admin(id).is_ok() && self.store().count_members(id).await? == 1 {
                orphans.push(id);
            }
        }
        Ok(orphans)
    }

    async fn own_row(&self, caller: &Caller) -> ServiceResult<Member> {
        let member = self.store().member(caller.require_person()?.id).await?;
        member.ok_or(ServiceError::NotFound { noun: Noun::Member })
    }

    async fn check_own_password(
        &self,
        caller: &Caller,
        password: SecretString,
        from: IpAddr,
    ) -> ServiceResult<()> {
        let email = &caller.require_person()?.email;
        let limit = self.config().sign_in.attempts_per_minute;
        self.attempts().count(from, self.clock().now(), limit)?;
        let found = self.store().member_for_sign_in(email).await?;
        let hash = found.and_then(|(_, hash)| hash);
        if passwords::matches(password, hash).await? {
            return Ok(());
        }
        let field = "current_password";
        Err(ServiceError::invalid(field, Problem::WrongPassword))
    }
}

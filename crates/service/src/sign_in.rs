//! Signing in: password to token, token to caller, sessions of the dashboard, one-time links.

use crate::caller::Caller;
use crate::error::{AuthenticationProblem, Noun, Problem, ServiceError, ServiceResult};
use crate::sign_up::new_superuser;
use crate::throttle::HOUR;
use crate::{Service, passwords, secrets};
use flagstaff_core::{Member, MemberId, Role};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;

impl Service {
    /// Signs a member in: a new token each time; earlier ones stay valid.
    ///
    /// # Errors
    /// [`ServiceError::WrongCredentials`], [`ServiceError::TooManyAttempts`].
    pub async fn sign_in(
        &self,
        email: &str,
        password: SecretString,
        from: IpAddr,
    ) -> ServiceResult<SecretString> {
        let member = self.check_password(email, password, from).await?;
        self.new_token(member.id).await
    }

    /// The member an e-mail address and a password belong to.
    ///
    /// # Errors
    /// As [`Service::sign_in`].
    pub async fn check_password(
        &self,
        email: &str,
        password: SecretString,
        from: IpAddr,
    ) -> ServiceResult<Member> {
        let now = self.clock().now();
        self.attempts()
            .count(from, now, self.config().sign_in.attempts_per_minute)?;
        // Counted alike whether anybody has the address, so that the limit tells nothing.
        let account = secrets::digest(&email.trim().to_lowercase());
        let limit = self.config().sign_in.account_attempts_per_hour;
        self.account_attempts().count(account.clone(), now, limit)?;
        let found = self.store().member_for_sign_in(email).await?;
        let (member, hash) = match found {
            Some((member, hash)) => (Some(member), hash),
            None => (None, None),
        };
        let is_right = passwords::matches(password, hash).await?;
        match member {
            Some(member) if is_right && member.is_active => {
                self.account_attempts().forget(&account);
                self.store().touch_last_login(member.id, now).await?;
                Ok(member)
            }
            Some(_) | None => Err(ServiceError::WrongCredentials),
        }
    }

    /// Gives a member a token.
    pub(crate) async fn new_token(&self, member: MemberId) -> ServiceResult<SecretString> {
        let token = secrets::random_token()?;
        let digest = secrets::digest(token.expose_secret());
        self.store()
            .insert_token(member, &digest, self.clock().now())
            .await?;
        Ok(token)
    }

    /// Withdraws a token.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn sign_out(&self, token: &str) -> ServiceResult<()> {
        Ok(self.store().delete_token(&secrets::digest(token)).await?)
    }

    /// Who presents a token.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a token that is not one of ours.
    pub async fn caller_by_token(&self, token: &str) -> ServiceResult<Caller> {
        let found = self
            .store()
            .member_by_token(&secrets::digest(token), self.clock().now())
            .await?;
        self.caller_of(found).await
    }

    /// Opens a session of the dashboard; the answer is what the cookie holds.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn open_session(&self, member: MemberId) -> ServiceResult<SecretString> {
        let session = secrets::random_token()?;
        let now = self.clock().now();
        let hours = i64::from(self.config().sign_in.session_hours);
        let digest = secrets::digest(session.expose_secret());
        self.store()
            .insert_session(member, &digest, now, now.plus_micros(hours * HOUR))
            .await?;
        Ok(session)
    }

    /// Who a session's cookie belongs to.
    ///
    /// # Errors
    /// [`ServiceError::Unauthenticated`] for a session that is unknown or over.
    pub async fn caller_by_session(&self, session: &str) -> ServiceResult<Caller> {
        let digest = secrets::digest(session);
        let found = self
            .store()
            .member_by_session(&digest, self.clock().now())
            .await?;
        self.caller_of(found).await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn close_session(&self, session: &str) -> ServiceResult<()> {
        Ok(self
            .store()
            .delete_session(&secrets::digest(session))
            .await?)
    }

    async fn caller_of(&self, member: Option<Member>) -> ServiceResult<Caller> {
        let member =
            member
                .filter(|member| member.is_active)
                .ok_or(ServiceError::Unauthenticated(
                    AuthenticationProblem::InvalidToken,
                ))?;
        self.caller_of_member(member).await
    }

    /// A member with what they may do now.
    pub(crate) async fn caller_of_member(&self, member: Member) -> ServiceResult<Caller> {
        let memberships = self.store().memberships(member.id).await?;
        let is_limited = memberships.iter().any(|place| place.role == Role::User);
        let grants = if is_limited && !member.is_superuser {
            self.store().grants_of(member.id).await?
        } else {
            Vec::new()
        };
        Ok(Caller::of_member(member, memberships).with_grants(grants))
    }

    /// A fresh one-time sign-in link while nobody can sign in yet: the secret part of its address.
    ///
    /// Links given before stay valid until they are used or run out; the first member ends them all.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn waiting_sign_in_link(&self) -> ServiceResult<Option<SecretString>> {
        if self.store().has_members().await? {
            return Ok(None);
        }
        let link = secrets::random_token()?;
        let now = self.clock().now();
        let hours = i64::from(self.config().sign_in.link_hours);
        let digest = secrets::digest(link.expose_secret());
        self.store()
            .insert_sign_in_link(&digest, now, now.plus_micros(hours * HOUR))
            .await?;
        Ok(Some(link))
    }

    /// True while a one-time link can still be used.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn is_sign_in_link_open(&self, link: &str) -> ServiceResult<bool> {
        let digest = secrets::digest(link);
        let is_open = self
            .store()
            .sign_in_link_is_open(&digest, self.clock().now())
            .await?;
        Ok(is_open && !self.store().has_members().await?)
    }

    /// Uses a one-time link: makes the first member, a superuser and admin of every organisation there is.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a link that is unknown, used or over; invalid e-mail or password.
    pub async fn redeem_sign_in_link(
        &self,
        link: &str,
        email: &str,
        password: SecretString,
    ) -> ServiceResult<Member> {
        let email = valid_email(email)?;
        passwords::check_new_password("password", &password)?;
        let hash = passwords::hash(password).await?;
        let now = self.clock().now();
        if !self.is_sign_in_link_open(link).await? {
            return Err(ServiceError::NotFound {
                noun: Noun::SignInLink,
            });
        }
        let used = self
            .store()
            .use_sign_in_link(&secrets::digest(link), now)
            .await?;
        if !used {
            return Err(ServiceError::NotFound {
                noun: Noun::SignInLink,
            });
        }
        self.insert_first_member(new_superuser(email, hash)).await
    }
}

/// Checks an e-mail address as far as can be checked without writing to it.
pub(crate) fn valid_email(text: &str) -> ServiceResult<String> {
    let invalid = || ServiceError::invalid("email", Problem::InvalidEmail);
    let text = text.trim();
    if text.len() > 254 || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(invalid());
    }
    let (local, domain) = text.rsplit_once('@').ok_or_else(invalid)?;
    let is_domain = domain.contains('.') || domain == "localhost";
    let has_empty_label = domain.split('.').any(str::is_empty);
    if local.is_empty() || local.contains('@') || !is_domain || has_empty_label {
        return Err(invalid());
    }
    Ok(text.to_owned())
}

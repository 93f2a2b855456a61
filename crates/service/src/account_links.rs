//! Links that change an account without its password: a forgotten password, an address to be confirmed, another address.
//!
//! A link works once, for a time, and only while the account has the address and the password it had when the link was
//! made. Asking for one is answered alike, after the same work, whether the address is anybody's.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::letters::Wish;
use crate::sign_in::valid_email;
use crate::sign_up::taken;
use crate::throttle::MINUTE;
use crate::{Caller, Service, passwords, secrets};
use flagstaff_core::{Member, Timestamp};
use flagstaff_store::{AccountLink, LinkPurpose, NewAccountLink};
use secrecy::{ExposeSecret as _, SecretString};
use std::net::IpAddr;
use uuid::Uuid;

/// How long a link waits for a superuser to be shown.
const WAITING: i64 = 3 * 24 * 60 * MINUTE;

/// Who came with a link: the name of the account in it, and what stands behind that.
#[derive(Debug, Clone)]
pub struct AccountLinkGuest {
    /// Which account, as the link names it.
    pub account: String,
    /// What only whoever was mailed the link knows.
    pub token: SecretString,
}

/// A link that somebody asked for where no mail can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingLink {
    /// Names it.
    pub id: i64,
    /// Whose account.
    pub email: String,
    /// What for.
    pub purpose: LinkPurpose,
    /// When it was asked for.
    pub created_at: Timestamp,
}

impl Service {
    /// Asks for a link to be mailed to the account with this address, if there is one. The answer is the same where there
    /// is none.
    ///
    /// # Errors
    /// [`ServiceError::TooManyAttempts`] by where the request comes from, and an address that is none.
    pub async fn request_account_link(
        &self,
        purpose: LinkPurpose,
        email: &str,
        from: IpAddr,
    ) -> ServiceResult<()> {
        let now = self.clock().now();
        let limits = &self.config().sign_in;
        self.attempts()
            .count(from, now, limits.attempts_per_minute)?;
        let email = valid_email(email)?;
        let address = secrets::digest(&format!("{}\0{}", purpose.as_str(), email.to_lowercase()));
        let wishes = self.link_wishes();
        if wishes
            .count(address, now, limits.account_links_per_hour)
            .is_err()
        {
            // Some are on their way: more would only fill a mailbox. Saying so would tell nothing either.
            return Ok(());
        }
        self.wish(&Wish::account_link(purpose, &email)).await
    }

    /// Makes the link of an account; the answer is the piece of the address that follows the dashboard's own.
    pub(crate) async fn new_account_link(
        &self,
        purpose: LinkPurpose,
        member: &Member,
    ) -> ServiceResult<(i64, String)> {
        let token = secrets::random_token()?;
        let now = self.clock().now();
        let new = NewAccountLink {
            member_id: member.id,
            purpose,
            digest: Some(secrets::digest(token.expose_secret())),
            account_state: self.account_state(member).await?,
            expires_at: now.plus_micros(self.link_time()),
        };
        let id = self.store().insert_account_link(&new, now).await?;
        Ok((id, path(purpose, member, &token)))
    }

    /// Keeps the wish for a link until a superuser hands it over, unless one waits already.
    pub(crate) async fn let_link_wait(
        &self,
        purpose: LinkPurpose,
        member: &Member,
    ) -> ServiceResult<()> {
        let now = self.clock().now();
        let waiting = self.store().waiting_account_links(now).await?;
        let is_same = |link: &AccountLink| link.member_id == member.id && link.purpose == purpose;
        if waiting.iter().any(is_same) {
            return Ok(());
        }
        let new = NewAccountLink {
            member_id: member.id,
            purpose,
            digest: None,
            account_state: self.account_state(member).await?,
            expires_at: now.plus_micros(WAITING),
        };
        self.store().insert_account_link(&new, now).await?;
        Ok(())
    }

    /// The links that members asked for and that could not be mailed.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is a superuser.
    pub async fn waiting_links(&self, caller: &Caller) -> ServiceResult<Vec<WaitingLink>> {
        require_superuser(caller)?;
        let mut list = Vec::new();
        for link in self
            .store()
            .waiting_account_links(self.clock().now())
            .await?
        {
            if let Some(member) = self.store().member(link.member_id).await? {
                list.push(WaitingLink {
                    id: link.id,
                    email: member.email,
                    purpose: link.purpose,
                    created_at: link.created_at,
                });
            }
        }
        Ok(list)
    }

    /// Shows a waiting link, once: the piece of the address that follows the dashboard's own.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is a superuser, [`ServiceError::NotFound`] for one that was shown or
    /// is over.
    pub async fn show_waiting_link(&self, caller: &Caller, id: i64) -> ServiceResult<SecretString> {
        require_superuser(caller)?;
        let noun = Noun::SignInLink;
        let now = self.clock().now();
        let waiting = self.store().waiting_account_links(now).await?;
        let link = waiting.into_iter().find(|link| link.id == id);
        let link = link.ok_or(ServiceError::NotFound { noun })?;
        let member = self.store().member(link.member_id).await?;
        let member = member.ok_or(ServiceError::NotFound { noun })?;
        // Who opens a door to an account of somebody else is told of.
        let write = self.store().write().await?;
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid).saying(format!(
            "Link to the account of {} shown: {}",
            member.email,
            link.purpose.as_str()
        ));
        self.finish(write, Some(caller), Subject::installation(), told)
            .await?;
        let token = secrets::random_token()?;
        let digest = secrets::digest(token.expose_secret());
        if !self.store().tell_account_link(id, &digest, now).await? {
            return Err(ServiceError::NotFound { noun });
        }
        Ok(path(link.purpose, &member, &token).into())
    }

    /// Whose account a link opens, for a page with a form: looking does not use the link up.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a link that is unknown, used or over, or is for something else.
    pub async fn account_of_link(
        &self,
        purpose: LinkPurpose,
        guest: &AccountLinkGuest,
    ) -> ServiceResult<Member> {
        let noun = Noun::SignInLink;
        let digest = secrets::digest(guest.token.expose_secret());
        let link = self
            .store()
            .account_link(&digest, self.clock().now())
            .await?;
        let link = link.filter(|link| link.purpose == purpose);
        let link = link.ok_or(ServiceError::NotFound { noun })?;
        let member = self.store().member(link.member_id).await?;
        let is_named = |member: &Member| Uuid::parse_str(&guest.account) == Ok(member.uuid);
        let member = member.filter(is_named);
        let member = member.ok_or(ServiceError::NotFound { noun })?;
        let may_sign_in = member.is_active || purpose == LinkPurpose::Activation;
        if !may_sign_in || self.account_state(&member).await? != link.account_state {
            return Err(ServiceError::NotFound { noun });
        }
        Ok(member)
    }

    fn count_link_attempt(&self, from: IpAddr) -> ServiceResult<()> {
        let limit = self.config().sign_in.attempts_per_minute;
        self.attempts().count(from, self.clock().now(), limit)
    }

    /// Chooses a new password with a link. Every token and session of the member ends.
    ///
    /// # Errors
    /// As [`Service::account_of_link`], a weak password, [`ServiceError::TooManyAttempts`].
    pub async fn reset_password(
        &self,
        guest: &AccountLinkGuest,
        password: SecretString,
        from: IpAddr,
    ) -> ServiceResult<Member> {
        self.count_link_attempt(from)?;
        self.account_of_link(LinkPurpose::Password, guest).await?;
        passwords::check_new_password("new_password", &password)?;
        let hash = passwords::hash(password).await?;
        let mut write = self.store().write().await?;
        // Looked at again in turn: of two who come with one link, one is first.
        let member = self.account_of_link(LinkPurpose::Password, guest).await?;
        write.update_password(member.id, &hash).await?;
        write.end_sign_ins(member.id, None).await?;
        write.delete_account_links(member.id).await?;
        if self.sends_mail() {
            // The link went to this address and nowhere else.
            write.verify_email(member.id, self.clock().now()).await?;
        }
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid)
            .saying(format!("Password chosen anew by a link: {}", member.email));
        let email = member.email.clone();
        let letters = self.letters(vec![Wish::PasswordChanged { email }]);
        self.finish_with(write, None, Subject::installation(), vec![told], letters)
            .await?;
        Ok(member)
    }

    /// Confirms a member's address with a link; they may sign in from now on.
    ///
    /// # Errors
    /// As [`Service::account_of_link`], [`ServiceError::TooManyAttempts`].
    pub async fn activate(&self, guest: &AccountLinkGuest, from: IpAddr) -> ServiceResult<Member> {
        self.count_link_attempt(from)?;
        let mut write = self.store().write().await?;
        let member = self.account_of_link(LinkPurpose::Activation, guest).await?;
        write.update_activity(member.id, true).await?;
        write.verify_email(member.id, self.clock().now()).await?;
        write.delete_account_links(member.id).await?;
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid)
            .saying(format!("E-mail address confirmed: {}", member.email));
        self.finish(write, None, Subject::installation(), told)
            .await?;
        Ok(member)
    }

    /// Chooses another e-mail address with a link, which went to the present one. That one is told.
    ///
    /// # Errors
    /// As [`Service::account_of_link`], an invalid or taken address, [`ServiceError::TooManyAttempts`].
    pub async fn reset_email(
        &self,
        guest: &AccountLinkGuest,
        email: &str,
        from: IpAddr,
    ) -> ServiceResult<()> {
        self.count_link_attempt(from)?;
        let field = "new_email";
        let email =
            valid_email(email).map_err(|_| ServiceError::invalid(field, Problem::InvalidEmail))?;
        let mut write = self.store().write().await?;
        let mut member = self.account_of_link(LinkPurpose::Email, guest).await?;
        let before = std::mem::replace(&mut member.email, email);
        let updated = write.update_member(&member).await;
        updated.map_err(|error| match taken(error) {
            ServiceError::Invalid { problem, .. } => ServiceError::invalid(field, problem),
            other => other,
        })?;
        write.delete_account_links(member.id).await?;
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid).saying(format!(
            "E-mail address changed by a link: {before} to {}",
            member.email
        ));
        let letters = self.letters(vec![Wish::EmailChanged { email: before }]);
        self.finish_with(write, None, Subject::installation(), vec![told], letters)
            .await
    }

    /// Address, password and whether the account may be used, as one digest.
    async fn account_state(&self, member: &Member) -> ServiceResult<String> {
        let found = self.store().member_for_sign_in(&member.email).await?;
        let hash = found.and_then(|(_, hash)| hash).unwrap_or_default();
        let (email, is_active) = (member.email.to_lowercase(), member.is_active);
        Ok(secrets::digest(&format!("{email}\0{hash}\0{is_active}")))
    }

    fn link_time(&self) -> i64 {
        i64::from(self.config().sign_in.account_link_minutes) * MINUTE
    }
}

pub(crate) fn require_superuser(caller: &Caller) -> ServiceResult<()> {
    if caller.require_person()?.is_superuser {
        return Ok(());
    }
    Err(ServiceError::Forbidden)
}

/// Where the dashboard has the page of a link.
fn path(purpose: LinkPurpose, member: &Member, token: &SecretString) -> String {
    let page = match purpose {
        LinkPurpose::Password => "password-reset/confirm",
        LinkPurpose::Activation => "activate",
        LinkPurpose::Email => "email-change/confirm",
    };
    format!("/{page}/{}/{}", member.uuid, token.expose_secret())
}

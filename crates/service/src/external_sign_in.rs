//! Signing in with another service: who may come in, and as whom.
//!
//! A browser sets out with a ticket in a cookie: what the service is to send back, signed, for a few minutes. Whoever comes
//! back without it, with another's, or a second time, is turned away. A service's word for an address counts only where it
//! has verified it; then it joins an account with that address, and whoever made that account without showing that the
//! address is theirs loses it.

use crate::change::{Subject, Told};
use crate::error::{ExternalProblem, Noun, ServiceError, ServiceResult};
use crate::providers::{Admission, Departure, Person, Return, VerifiedEmail};
use crate::sign_in::valid_email;
use crate::sign_in_tickets::Ticket;
use crate::throttle::MINUTE;
use crate::{Service, secrets};
use flagstaff_core::{Member, OrganisationId, Role, Timestamp};
use flagstaff_store::NewMember;
use secrecy::{ExposeSecret as _, SecretString};
use std::net::IpAddr;
use tracing::warn;
use uuid::Uuid;

/// How long a ticket lasts.
const TICKET_TIME: i64 = 10 * MINUTE;
/// Bytes of a service's name for somebody.
const SUBJECT_LIMIT: usize = 255;

/// A browser about to leave for a service.
#[derive(Debug, Clone)]
pub struct Leaving {
    /// Where to.
    pub url: String,
    /// What it has to bring back: for a cookie, 10 minutes long. Letters, digits and dots.
    pub ticket: SecretString,
}

/// A browser that comes from a service.
#[derive(Debug, Clone)]
pub struct Returning {
    /// What it left with.
    pub ticket: SecretString,
    /// What the service was to send back.
    pub state: String,
    /// What the service gives out a token for.
    pub code: SecretString,
}

/// Somebody who came in with a service.
#[derive(Debug, Clone)]
pub struct CameIn {
    /// Who.
    pub member: Member,
    /// True for somebody who was no member before.
    pub is_new: bool,
    /// What stands in the link they were invited with.
    pub invite: Option<String>,
}

impl Service {
    /// Where to send a browser that wants to sign in with a service, and what it has to bring back.
    ///
    /// # Errors
    /// [`ServiceError::External`] for a service that is not set up or cannot be reached.
    pub async fn leave_for(&self, name: &str, invite: Option<String>) -> ServiceResult<Leaving> {
        let provider = self.provider(name)?;
        let departure = Departure {
            state: secrets::random_key()?,
            nonce: secrets::random_key()?,
            verifier: format!(
                "{}{}{}",
                secrets::random_key()?,
                secrets::random_key()?,
                secrets::random_key()?
            )
            .into(),
            callback: self.callback(name)?,
        };
        let url = provider.departure_url(&departure).await;
        let url = url.map_err(|error| failed(name, &*error))?;
        let ticket = Ticket {
            provider: name.to_owned(),
            state: departure.state,
            nonce: departure.nonce,
            verifier: departure.verifier.expose_secret().to_owned(),
            expires_at: self.clock().now().plus_micros(TICKET_TIME).micros(),
            invite: invite.filter(|invite| invite.len() <= 200),
        };
        Ok(Leaving {
            url,
            ticket: self.signed_ticket(&ticket).await?,
        })
    }

    /// Lets in who comes back from a service.
    ///
    /// # Errors
    /// [`ServiceError::External`], and [`ServiceError::TooManyAttempts`].
    pub async fn come_back_from(
        &self,
        name: &str,
        returning: Returning,
        from: IpAddr,
    ) -> ServiceResult<CameIn> {
        let now = self.clock().now();
        let limit = self.config().sign_in.attempts_per_minute;
        self.attempts().count(from, now, limit)?;
        let provider = self.provider(name)?;
        let ticket = self.opened_ticket(returning.ticket.expose_secret()).await?;
        let is_right = ticket.provider == name
            && ticket.expires_at > now.micros()
            && secrets::digest(&ticket.state) == secrets::digest(&returning.state);
        if !is_right {
            return Err(ServiceError::External(ExternalProblem::Stale));
        }
        let expires_at = Timestamp::from_micros(ticket.expires_at);
        let digest = secrets::digest(&ticket.state);
        if !self.store().spend_state(&digest, expires_at).await? {
            return Err(ServiceError::External(ExternalProblem::Stale));
        }
        let back = Return {
            code: returning.code,
            nonce: ticket.nonce,
            verifier: ticket.verifier.into(),
            callback: self.callback(name)?,
        };
        let person = provider.person(back).await;
        let person = person.map_err(|error| failed(name, &*error))?;
        let (member, is_new) = self
            .admit(name, &provider.admission, person, ticket.invite.as_deref())
            .await?;
        Ok(CameIn {
            member,
            is_new,
            invite: ticket.invite,
        })
    }

    /// Signs somebody in by what a dashboard of Flagsmith has got from a service: their token, and whether they are new.
    ///
    /// # Errors
    /// [`ServiceError::External`], and [`ServiceError::TooManyAttempts`].
    pub async fn sign_in_by_token_of(
        &self,
        name: &str,
        token: &SecretString,
        invite: Option<&str>,
        from: IpAddr,
    ) -> ServiceResult<(SecretString, bool)> {
        let limit = self.config().sign_in.attempts_per_minute;
        self.attempts().count(from, self.clock().now(), limit)?;
        let provider = self.provider(name)?;
        let person = provider.person_by_token(token).await;
        let person = person.ok_or(ServiceError::External(ExternalProblem::NotSetUp))?;
        let person = person.map_err(|error| failed(name, &*error))?;
        let (member, is_new) = self
            .admit(name, &provider.admission, person, invite)
            .await?;
        Ok((self.new_token(member.id).await?, is_new))
    }

    /// The member that a person is, or becomes.
    async fn admit(
        &self,
        provider: &str,
        admission: &Admission,
        person: Person,
        invite: Option<&str>,
    ) -> ServiceResult<(Member, bool)> {
        let refused = |problem| Err(ServiceError::External(problem));
        if person.subject.is_empty() || person.subject.len() > SUBJECT_LIMIT {
            return refused(ExternalProblem::Failed);
        }
        let Some(VerifiedEmail(email)) = person.email.clone() else {
            return refused(ExternalProblem::EmailUnverified);
        };
        let Ok(email) = valid_email(&email) else {
            return refused(ExternalProblem::EmailUnverified);
        };
        if !is_welcome(admission, &email, person.hosted_domain.as_deref()) {
            return refused(ExternalProblem::DomainNotAllowed);
        }
        let known = self
            .store()
            .member_by_external_account(provider, &person.subject);
        let member = match known.await? {
            Some(member) => Some(member),
            None => match self.store().member_for_sign_in(&email).await? {
                Some((member, _)) => Some(self.join_accounts(provider, &person, member).await?),
                None => None,
            },
        };
        let is_new = member.is_none();
        let member = match member {
            Some(member) => member,
            None => {
                self.new_from(provider, admission, &person, email, invite)
                    .await?
            }
        };
        if !member.is_active {
            return refused(ExternalProblem::Closed);
        }
        self.store()
            .touch_last_login(member.id, self.clock().now())
            .await?;
        Ok((member, is_new))
    }

    /// Lets a service's word for an address open the account with that address.
    async fn join_accounts(
        &self,
        provider: &str,
        person: &Person,
        member: Member,
    ) -> ServiceResult<Member> {
        let now = self.clock().now();
        let mut write = self.store().write().await?;
        let is_verified = self.store().email_is_verified(member.id).await?;
        // Nobody has shown that this is their address, so whoever made the account may be anybody: what they have of it
        // ends now. An account that waits for just this is active from now on.
        if !is_verified {
            write.remove_password(member.id).await?;
            write.end_sign_ins(member.id, None).await?;
            write.delete_account_links(member.id).await?;
            if !member.is_active && self.config().sign_in.activation && member.last_login.is_none()
            {
                write.update_activity(member.id, true).await?;
            }
            write.verify_email(member.id, now).await?;
        }
        let joined = write.insert_external_account(member.id, provider, &person.subject, now);
        joined.await?;
        let password = if is_verified {
            ""
        } else {
            "; its password ended"
        };
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid).saying(format!(
            "Sign-in with {provider} joined to the account of {}{password}",
            member.email
        ));
        self.finish(write, None, Subject::installation(), told)
            .await?;
        let member = self.store().member(member.id).await?;
        member.ok_or(ServiceError::NotFound { noun: Noun::Member })
    }

    async fn new_from(
        &self,
        provider: &str,
        admission: &Admission,
        person: &Person,
        email: String,
        invite: Option<&str>,
    ) -> ServiceResult<Member> {
        let organisation = self.organisation_for(admission).await?;
        let is_invited = match invite {
            Some(token) => self.is_invited(token, &email).await?,
            None => false,
        };
        let may = organisation.is_some() || is_invited || self.config().sign_in.allow_sign_up;
        // The first member comes by the machine's own link: nobody becomes superuser by being first at a door.
        if !may || !self.store().ever_had_members().await? {
            return Err(ServiceError::External(ExternalProblem::Closed));
        }
        let now = self.clock().now();
        let new = NewMember {
            uuid: Uuid::new_v4(),
            email,
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone(),
            password_hash: None,
            is_superuser: false,
            sign_up_type: None,
        };
        let mut write = self.store().write().await?;
        let member = write.insert_member(&new, now).await?;
        write.verify_email(member.id, now).await?;
        let known = write.insert_external_account(member.id, provider, &person.subject, now);
        known.await?;
        let role = if person.is_admin {
            Role::Admin
        } else {
            Role::User
        };
        let mut subject = Subject::installation();
        if let Some(organisation) = organisation {
            let place = write.insert_membership(organisation, member.id, role, now);
            place.await?;
            subject = Subject::members_of(organisation);
        }
        let told = Told::created(Noun::Member, member.id.get(), member.uuid).saying(format!(
            "Member signed up with {provider}: {}",
            member.email
        ));
        self.finish(write, None, subject, told).await?;
        Ok(member)
    }

    /// The organisation that newcomers join.
    async fn organisation_for(
        &self,
        admission: &Admission,
    ) -> ServiceResult<Option<OrganisationId>> {
        let Some(name) = &admission.organisation else {
            return Ok(None);
        };
        let known = self.store().all_organisations().await?;
        let found = known
            .into_iter()
            .find(|organisation| organisation.name == *name);
        if found.is_none() {
            warn!(organisation.name = %name, "nobody can join this organisation: there is none of this name");
        }
        Ok(found.map(|organisation| organisation.id))
    }

    /// Where a service sends browsers back to: never by a request's own word.
    fn callback(&self, name: &str) -> ServiceResult<String> {
        let public_url = self.config().public_url.as_deref();
        let public_url = public_url.ok_or(ServiceError::External(ExternalProblem::NotSetUp))?;
        Ok(format!("{public_url}/sign-in/with/{name}/callback"))
    }
}

/// The cause goes to the log, with what the service said; whoever waits is told that it did not work.
fn failed(provider: &str, error: &(dyn std::error::Error + Send + Sync)) -> ServiceError {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    warn!(provider, problem = text, "nobody came in");
    ServiceError::External(ExternalProblem::Failed)
}

fn is_welcome(admission: &Admission, email: &str, hosted_domain: Option<&str>) -> bool {
    if admission.allowed_domains.is_empty() {
        return true;
    }
    let domain = email
        .rsplit_once('@')
        .map(|(_, domain)| domain.to_ascii_lowercase());
    let is_allowed = |domain: &str| admission.allowed_domains.iter().any(|each| each == domain);
    if admission.needs_hosted_domain && !hosted_domain.is_some_and(is_allowed) {
        return false;
    }
    domain.is_some_and(|domain| is_allowed(&domain))
}

//! Inviting people into an organisation, and joining it.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::letters::Wish;
use crate::organisations::OrganisationView;
use crate::sign_in::valid_email;
use crate::throttle::HOUR;
use crate::{Caller, Service, secrets};
use flagstaff_core::{Invite, InviteId, InviteLink, InviteLinkId, OrganisationId, Role, Timestamp};
use flagstaff_store::{NewInvite, NewInviteLink};
use secrecy::{ExposeSecret as _, SecretString};

/// Invitations that may wait in one organisation, and links it may have.
const LIMIT: usize = 1000;

/// One person to be invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRequest {
    /// Who.
    pub email: String,
    /// What they become.
    pub role: Role,
}

/// An invitation with what stands in its link, which is in this answer and nowhere else.
#[derive(Debug, Clone)]
pub struct NewlyInvited {
    /// The invitation.
    pub invite: Invite,
    /// What stands in the link.
    pub token: SecretString,
}

/// What a link invites to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Name of the organisation.
    pub organisation: String,
    /// The one address that is invited; `None` where anybody is who has the link.
    pub email: Option<String>,
}

impl Service {
    /// The invitations that nobody used yet.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is an admin of the organisation.
    pub async fn invites(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
    ) -> ServiceResult<Vec<Invite>> {
        caller.require_admin(organisation)?;
        Ok(self.store().invites(organisation).await?)
    }

    /// One invitation.
    ///
    /// # Errors
    /// As [`Service::invites`], and [`ServiceError::NotFound`].
    pub async fn invite(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        id: InviteId,
    ) -> ServiceResult<Invite> {
        let invites = self.invites(caller, organisation).await?;
        let invite = invites.into_iter().find(|invite| invite.id == id);
        invite.ok_or(ServiceError::NotFound { noun: Noun::Invite })
    }

    /// Invites people, all or none of them. Each is mailed a link of their own, where mail can be sent; the one in the
    /// answer is for whoever invites to hand over.
    ///
    /// # Errors
    /// As [`Service::invites`]; an invalid address, one that is invited or belongs here already, and too many.
    pub async fn create_invites(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        requests: Vec<InviteRequest>,
    ) -> ServiceResult<Vec<NewlyInvited>> {
        caller.require_admin(organisation)?;
        self.organisation_row(organisation).await?;
        let mut write = self.store().write().await?;
        let waiting = self.store().invites(organisation).await?;
        if waiting.len() + requests.len() > LIMIT {
            return Err(too_many());
        }
        let members = self.store().members_of(organisation).await?;
        let mut invited = Vec::new();
        for request in requests {
            let email = valid_email(&request.email)?;
            let is_member =
                |member: &flagstaff_core::Member| member.email.eq_ignore_ascii_case(&email);
            if members.iter().any(|(member, _)| is_member(member)) {
                return Err(ServiceError::invalid("email", Problem::MemberAlready));
            }
            let token = secrets::random_token()?;
            let new_invite = NewInvite {
                organisation_id: organisation,
                email,
                role: request.role,
                digest: secrets::digest(token.expose_secret()),
                invited_by: caller.member().map(|member| member.id),
                expires_at: self.invite_end(),
            };
            let now = self.clock().now();
            let inserted = write.insert_invite(&new_invite, now).await;
            let invite = inserted.map_err(|error| match error.into() {
                ServiceError::Conflict { .. } => {
                    ServiceError::invalid("email", Problem::InvitedAlready)
                }
                other => other,
            })?;
            invited.push(NewlyInvited { invite, token });
        }
        let Some(first) = invited.first() else {
            return Ok(invited);
        };
        let emails: Vec<&str> = invited.iter().map(|each| &*each.invite.email).collect();
        let told = Told::created(Noun::Invite, first.invite.id.get(), None)
            .saying(format!("Invited: {}", emails.join(", ")));
        let wish = |each: &NewlyInvited| Wish::invite(organisation, each.invite.id);
        let letters = self.letters(invited.iter().map(wish).collect());
        let subject = Subject::members_of(organisation);
        self.finish_with(write, Some(caller), subject, vec![told], letters)
            .await?;
        Ok(invited)
    }

    /// Gives an invitation a new link, and mails one; those before stop.
    ///
    /// # Errors
    /// As [`Service::invite`].
    pub async fn renew_invite(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        id: InviteId,
    ) -> ServiceResult<NewlyInvited> {
        let mut write = self.store().write().await?;
        let invite = self.invite(caller, organisation, id).await?;
        let token = secrets::random_token()?;
        let digest = secrets::digest(token.expose_secret());
        write.renew_invite(id, &digest, self.invite_end()).await?;
        let told = Told::updated(Noun::Invite, id.get(), None)
            .saying(format!("Invite renewed: {}", invite.email));
        let letters = self.letters(vec![Wish::invite(organisation, id)]);
        let subject = Subject::members_of(organisation);
        self.finish_with(write, Some(caller), subject, vec![told], letters)
            .await?;
        Ok(NewlyInvited { invite, token })
    }

    /// Withdraws an invitation.
    ///
    /// # Errors
    /// As [`Service::invite`].
    pub async fn delete_invite(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        id: InviteId,
    ) -> ServiceResult<()> {
        let mut write = self.store().write().await?;
        let invite = self.invite(caller, organisation, id).await?;
        write.delete_invite(id).await?;
        let told = Told::deleted(Noun::Invite, id.get(), None)
            .saying(format!("Invite withdrawn: {}", invite.email));
        self.finish(write, Some(caller), Subject::members_of(organisation), told)
            .await
    }

    /// The links that invite whoever has them.
    ///
    /// # Errors
    /// As [`Service::invites`].
    pub async fn invite_links(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
    ) -> ServiceResult<Vec<InviteLink>> {
        caller.require_admin(organisation)?;
        Ok(self.store().invite_links(organisation).await?)
    }

    /// Makes a link that invites whoever has it.
    ///
    /// # Errors
    /// As [`Service::invites`], and too many links.
    pub async fn create_invite_link(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        role: Role,
        expires_at: Option<Timestamp>,
    ) -> ServiceResult<InviteLink> {
        caller.require_admin(organisation)?;
        self.organisation_row(organisation).await?;
        let mut write = self.store().write().await?;
        if self.store().invite_links(organisation).await?.len() >= LIMIT {
            return Err(too_many());
        }
        let new_link = NewInviteLink {
            organisation_id: organisation,
            token: secrets::random_key()?.into(),
            role,
            expires_at,
        };
        let link = write
            .insert_invite_link(&new_link, self.clock().now())
            .await?;
        let told = Told::created(Noun::InviteLink, link.id.get(), None)
            .saying("New invite link created".to_owned());
        self.finish(write, Some(caller), Subject::members_of(organisation), told)
            .await?;
        Ok(link)
    }

    /// Deletes a link; it stops at once.
    ///
    /// # Errors
    /// As [`Service::invites`], and [`ServiceError::NotFound`].
    pub async fn delete_invite_link(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        id: InviteLinkId,
    ) -> ServiceResult<()> {
        let mut write = self.store().write().await?;
        let links = self.invite_links(caller, organisation).await?;
        if !links.iter().any(|link| link.id == id) {
            let noun = Noun::InviteLink;
            return Err(ServiceError::NotFound { noun });
        }
        write.delete_invite_link(id).await?;
        let told = Told::deleted(Noun::InviteLink, id.get(), None)
            .saying("Invite link deleted".to_owned());
        self.finish(write, Some(caller), Subject::members_of(organisation), told)
            .await
    }

    /// Joins an organisation by a link for everybody.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a link that is unknown or over, [`ServiceError::Forbidden`] for a program.
    pub async fn join_by_link(
        &self,
        caller: &Caller,
        token: &str,
    ) -> ServiceResult<OrganisationView> {
        caller.require_person()?;
        let noun = Noun::InviteLink;
        let link = self.store().invite_link_by_token(token).await?;
        let link = link.filter(|link| !link.has_expired(self.clock().now()));
        let link = link.ok_or(ServiceError::NotFound { noun })?;
        self.join(caller, link.organisation_id, link.role, None)
            .await
    }

    /// Joins an organisation by an invitation, which is used up. It is for the invited address alone.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for one that is unknown, used or somebody else's, [`ServiceError::Forbidden`] for
    /// a program.
    pub async fn join_by_invite(
        &self,
        caller: &Caller,
        token: &str,
    ) -> ServiceResult<OrganisationView> {
        let member = caller.require_person()?;
        let noun = Noun::Invite;
        let invite = self
            .store()
            .invite_by_digest(&secrets::digest(token), self.clock().now())
            .await?;
        let invite = invite.filter(|invite| invite.email.eq_ignore_ascii_case(&member.email));
        let invite = invite.ok_or(ServiceError::NotFound { noun })?;
        let (organisation, role) = (invite.organisation_id, invite.role);
        let digest = secrets::digest(token);
        let was_mailed = self.store().invite_was_mailed(&digest).await?;
        self.join(caller, organisation, role, Some((invite.id, was_mailed)))
            .await
    }

    /// What a link invites to, for a page: whoever has it may know.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for one that is unknown, used or over.
    pub async fn invitation(&self, token: &str) -> ServiceResult<Invitation> {
        let now = self.clock().now();
        let link = self.store().invite_link_by_token(token).await?;
        let link = link.filter(|link| !link.has_expired(now));
        let (organisation, email) = match link {
            Some(link) => (link.organisation_id, None),
            None => {
                let digest = secrets::digest(token);
                let invite = self.store().invite_by_digest(&digest, now).await?;
                let noun = Noun::Invite;
                let invite = invite.ok_or(ServiceError::NotFound { noun })?;
                (invite.organisation_id, Some(invite.email))
            }
        };
        let organisation = self.organisation_row(organisation).await?.name;
        Ok(Invitation {
            organisation,
            email,
        })
    }

    /// Joins by a link of either kind.
    ///
    /// # Errors
    /// As [`Service::join_by_link`] and [`Service::join_by_invite`].
    pub async fn join_by_either(
        &self,
        caller: &Caller,
        token: &str,
    ) -> ServiceResult<OrganisationView> {
        match self.join_by_link(caller, token).await {
            Err(ServiceError::NotFound { .. }) => self.join_by_invite(caller, token).await,
            other => other,
        }
    }

    /// When an invitation that is made or renewed now is over.
    fn invite_end(&self) -> Timestamp {
        let days = i64::from(self.config().sign_in.invite_days);
        self.clock().now().plus_micros(days * 24 * HOUR)
    }

    async fn join(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        role: Role,
        used: Option<(InviteId, bool)>,
    ) -> ServiceResult<OrganisationView> {
        let member = caller.require_person()?;
        let now = self.clock().now();
        let mut write = self.store().write().await?;
        if let Some((id, was_mailed)) = used {
            write.delete_invite(id).await?;
            if was_mailed {
                write.verify_email(member.id, now).await?;
            }
        }
        // Whoever belongs here already stays what they are.
        let present = self.store().memberships(member.id).await?;
        let mut present = present.into_iter();
        let role = present
            .find(|place| place.organisation_id == organisation)
            .map_or(role, |place| place.role);
        write
            .insert_membership(organisation, member.id, role, now)
            .await?;
        let told = Told::updated(Noun::Member, member.id.get(), member.uuid)
            .saying(format!("Member joined: {}", member.email));
        self.finish(write, Some(caller), Subject::members_of(organisation), told)
            .await?;
        let row = self.organisation_row(organisation).await?;
        let view = self.organisation_view(caller, row).await?;
        Ok(OrganisationView {
            role: Some(role),
            ..view
        })
    }
}

fn too_many() -> ServiceError {
    ServiceError::invalid("invites", Problem::TooMany { limit: LIMIT })
}

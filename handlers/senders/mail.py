"""Parcels of the outbox as mails."""

from subjectline.handlers.outbox import Parcel
from subjectline.handlers.senders.dkim import DkimSigner
from subjectline.handlers.senders.smtp import SmtpSender, build_mail
from subjectline.models.clock import Clock


class MailSender:
    """The way out by mail: builds the bytes of a parcel, signs them, hands them to the SMTP server."""

    def __init__(self, smtp: SmtpSender, clock: Clock, signer: DkimSigner | None = None) -> None:
        """Raises SettingsError for a key of `smtp.settings.dkim` that cannot be used."""
        self._smtp, self._clock = smtp, clock
        self._sign = signer or DkimSigner.from_settings(smtp.settings.dkim)

    async def send(self, parcel: Parcel) -> None:
        """Raises TemporarySendError or PermanentSendError. An empty parcel is nothing to mail."""
        if not parcel.text:
            return
        settings = self._smtp.settings
        raw = build_mail(
            from_address=settings.from_address,
            from_name=settings.from_name,
            to=parcel.recipient,
            subject=parcel.subject,
            text=parcel.text,
            html=parcel.html,
            message_id=parcel.message_id,
            sent_at=self._clock(),
            in_reply_to=parcel.in_reply_to,
            references=parcel.references,
            reply_to=parcel.reply_to,
            auto_submitted="auto-replied" if parcel.answers else "auto-generated",
        )
        signed = self._sign(raw, self._clock())
        await self._smtp.send(settings.from_address, parcel.recipient, signed)

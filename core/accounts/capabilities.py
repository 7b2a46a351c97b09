"""What an operator may do, in words, each with the permission that its actions ask for.

The page "Roles" shows this table. Changing it permits nothing: the permission stands in `authorise` of each
action, its rank in rules.py. tests/accounts/test_authority.py holds it against every action.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.accounts.rules import Permission, Role, may, may_export
from core.errors import N_


class Answer(StrEnum):
    """Whether a role may do something."""

    YES = "yes"
    IF_GRANTED = "if_granted"  # an admin may grant it to one operator
    NO = "no"


@dataclass(frozen=True)
class Capability:
    """Something to do, and the actions by which it is done: their names, by the module under `core`."""

    words: str
    permission: Permission
    by: Mapping[str, str] = field(default_factory=dict)

    @property
    def actions(self) -> list[str]:
        """The actions by module and name."""
        return [f"{module}.{name}" for module, names in self.by.items() for name in names.split()]

    def answer(self, role: Role) -> Answer:
        """Whether a role includes it."""
        return Answer.YES if may(role, self.permission) else Answer.NO


class Export(Capability):
    """Taking data out of the panel, which is a right of its own."""

    def answer(self, role: Role) -> Answer:
        if may_export(role, granted=False):
            return Answer.YES
        return Answer.IF_GRANTED if may_export(role, granted=True) else Answer.NO


CAPABILITIES: tuple[Capability, ...] = (
    Capability(N_("See topics, messages, broadcasts, customers and their opt-ins"), Permission.VIEW),
    Capability(N_("See the activity log and the health of the installation"), Permission.VIEW),
    Capability(
        N_("Manage your own account, and choose what lists show"),
        Permission.VIEW,
        {
            "accounts.actions": "change_own_password set_language",
            "accounts.second_factor": "enable disable_own",
            "accounts.single_sign_on.linking": "prove_password link",
            "accounts.sessions": "sign_out end_session",
            "accounts.list_columns": "choose_columns",
            "broadcasts.ended_broadcasts": "close_notice",
        },
    ),
    Export(N_("Export lists as files"), Permission.EDIT, {"accounts.exporting": "record_export"}),
    Capability(
        N_("Create, change and archive topics"),
        Permission.EDIT,
        {
            "consent.actions": "create_topic edit_topic restore_topic",
            "broadcasts.topic_archiving": "archive_topic",
            "conversation.asking_actions": "set_asking",
        },
    ),
    Capability(
        N_("Write and publish messages of the chatbot"),
        Permission.EDIT,
        {
            "conversation.actions": "save_message archive_message copy_message",
            "conversation.draft_actions": "create_draft keep_draft publish_message delete_draft bring_back",
            "conversation.translation_actions": "add_translation",
            "pictures.actions": "add_picture",
        },
    ),
    Capability(
        N_("Write and publish a fanpage's greeting, menu and questions"),
        Permission.EDIT,
        {"conversation.messenger_profile.actions": "save_profile", "fanpages.profile_publishing": "publish"},
    ),
    Capability(
        N_("Import opt-ins, and assign topics to those without one"),
        Permission.EDIT,
        {
            "consent.import_runs": "begin_import undo_import",
            "consent.imports": "import_opt_ins",
            "consent.actions": "assign_topic",
        },
    ),
    Capability(
        N_("Withdraw a customer's opt-ins when they say no"),
        Permission.EDIT,
        {"consent.withdrawal_actions": "withdraw_customer withdraw_person"},
    ),
    Capability(
        N_("Tag customers, and let the chatbot answer them again"),
        Permission.EDIT,
        {
            "customers.tag_actions": "add_tag remove_tag delete_tag",
            "conversation.silence_actions": "end_silence",
        },
    ),
    Capability(
        N_("Write broadcasts and ask for their approval, without sending them"),
        Permission.EDIT,
        {
            "broadcasts.actions": "create_broadcast copy_broadcast delete_draft",
            "broadcasts.drafts": "keep_draft",
            "broadcasts.revisions": "begin",
            "broadcasts.approval_actions": "ask_for_approval",
        },
    ),
    Capability(
        N_("Save templates, and start from them"),
        Permission.EDIT,
        {
            "templates.actions": "save_broadcast save_message begin_broadcast begin_message "
            "rename_template delete_template"
        },
    ),
    Capability(
        N_("Invite testers, and send them messages and broadcasts"),
        Permission.EDIT,
        {
            "testers.actions": "invite_tester renew_code remove_tester",
            "testers.sending": "send_message_test send_broadcast_test",
        },
    ),
    Capability(
        N_("Launch, schedule, pause, resume and cancel broadcasts"),
        Permission.SEND,
        {
            "broadcasts.actions": "launch schedule unschedule pause resume cancel",
            "broadcasts.canary": "let_rest_go",
            "broadcasts.revisions": "apply",
        },
    ),
    Capability(
        N_("Decide results in doubt, and retry failed messages"),
        Permission.SEND,
        {
            "broadcasts.retry": "count_as_sent try_again retry_failed release_undecided send_to_rest",
            "consent.actions": "make_available_again",
        },
    ),
    Capability(
        N_("Include customers again who could not be reached"),
        Permission.SEND,
        {"customers.actions": "lift_mark lift_marks_of"},
    ),
    Capability(
        N_("Stop all sending, and acknowledge Meta's notices about a fanpage"),
        Permission.SEND,
        {"installation.hold_actions": "stop_sending", "fanpages.actions": "see_policy"},
    ),
    Capability(
        N_("Connect fanpages and set them up"),
        Permission.ADMIN,
        {
            "fanpages.actions": "connect set_rate resume_after_repair",
            "fanpages.otn_switch": "switch_otn_off switch_otn_on",
            "fanpages.set_up_actions": "accept take_back set_addresses",
            "fanpages.limit_actions": "set_limits",
            "fanpages.launch_rule_actions": "set_launch_rules",
            "fanpages.time_zone": "change_zone",
            "conversation.stop_word_actions": "set_stop_words",
        },
    ),
    Capability(N_("Send test alerts"), Permission.ADMIN, {"alerts.actions": "ask_for_test send_test"}),
    Capability(N_("Permanently erase a customer"), Permission.ADMIN, {"forgetting.actions": "forget"}),
    Capability(N_("Replay webhook events"), Permission.ADMIN, {"inbox.actions": "replay replay_one"}),
    Capability(
        N_("Manage users: their roles, fanpages, passwords and sessions"),
        Permission.ADMIN,
        {
            "accounts.actions": (
                "add_operator invite_operator change_role limit_to_fanpages disable_operator "
                "enable_operator reset_password set_exports end_sessions"
            ),
            "accounts.unlocking": "unlock unlock_address",
            "accounts.second_factor": "disable_of",
            "accounts.single_sign_on.linking": "unlink",
        },
    ),
    Capability(
        N_("Back up, restore and move the installation, and change its key"),
        Permission.ADMIN,
        {
            "backups.actions": "make_backup carry_over_from",
            "backups.restored": "hold_restored",
            "installation.hold_actions": "release_hold",
            "installation.rekeying": "rekey rekey_from",
            "installation.key_check": "accept_key",
            "moving.move": "Move abandon",
        },
    ),
)

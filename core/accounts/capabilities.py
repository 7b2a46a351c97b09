"""What an operator may do, in words, each with the permission that its actions ask for."""

from __future__ import annotations

from core.accounts.rules import Permission, Role, may
from core.errors import N_

CAPABILITIES: tuple[tuple[str, Permission, tuple[str, ...]], ...] = (
    (N_("See topics, messages, broadcasts, customers and their opt-ins"), Permission.VIEW, ()),
    (N_("See the activity log and the health of the installation"), Permission.VIEW, ()),
    (
        N_("Make, change and archive topics"),
        Permission.EDIT,
        (
            "consent.actions.create_topic",
            "consent.actions.edit_topic",
            "broadcasts.topic_archiving.archive_topic",
        ),
    ),
    (
        N_("Write and publish messages of the bot"),
        Permission.EDIT,
        ("conversation.writing.keep_draft", "conversation.writing.publish_message"),
    ),
    (N_("Import opt-ins"), Permission.EDIT, ("consent.imports.import_opt_ins",)),
    (
        N_("Withdraw a customer's opt-ins when they say no"),
        Permission.EDIT,
        ("consent.withdrawal_actions.withdraw_customer",),
    ),
    (
        N_("Write broadcasts, without sending them"),
        Permission.EDIT,
        ("broadcasts.actions.create_broadcast", "broadcasts.drafts.keep_draft"),
    ),
    (
        N_("Send: launch, schedule, pause, resume and cancel broadcasts"),
        Permission.SEND,
        ("broadcasts.actions.launch", "broadcasts.actions.schedule", "broadcasts.actions.cancel"),
    ),
    (
        N_("Settle what is in doubt, and have failed deliveries tried again"),
        Permission.SEND,
        ("broadcasts.retry.count_as_sent", "broadcasts.retry.retry_failed"),
    ),
    (
        N_("Include customers again who could not be reached"),
        Permission.SEND,
        ("customers.actions.lift_mark",),
    ),
    (N_("Connect fanpages and set their rate"), Permission.ADMIN, ("fanpages.actions.set_rate",)),
    (N_("Erase a customer for good"), Permission.ADMIN, ("forgetting.actions.forget",)),
    (
        N_("Manage users, their roles, passwords and sessions"),
        Permission.ADMIN,
        (
            "accounts.actions.add_operator",
            "accounts.actions.change_role",
            "accounts.actions.disable_operator",
        ),
    ),
)


def roles_that_may(permission: Permission) -> list[Role]:
    """The roles that include a permission."""
    return [role for role in Role if may(role, permission)]

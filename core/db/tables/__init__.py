"""Every table, a file for each subject.

Rows never leave `core`: queries hand out frozen dataclasses. All times are aware UTC.
"""

from core.db.tables.accounts import Activity as Activity
from core.db.tables.accounts import ListColumns as ListColumns
from core.db.tables.accounts import Operator as Operator
from core.db.tables.accounts import OperatorSession as OperatorSession
from core.db.tables.accounts import SignInAttempt as SignInAttempt
from core.db.tables.alerts import Alert as Alert
from core.db.tables.alerts import AlertChannel as AlertChannel
from core.db.tables.broadcasts import AudienceProgress as AudienceProgress
from core.db.tables.broadcasts import Broadcast as Broadcast
from core.db.tables.broadcasts import BroadcastResult as BroadcastResult
from core.db.tables.broadcasts import FunnelCount as FunnelCount
from core.db.tables.broadcasts import FunnelDay as FunnelDay
from core.db.tables.columns import BigId as BigId
from core.db.tables.columns import Table as Table
from core.db.tables.columns import UtcTime as UtcTime
from core.db.tables.customers import Customer as Customer
from core.db.tables.customers import CustomerTag as CustomerTag
from core.db.tables.customers import Forgotten as Forgotten
from core.db.tables.customers import ForgottenKey as ForgottenKey
from core.db.tables.customers import Tag as Tag
from core.db.tables.deliveries import Delivery as Delivery
from core.db.tables.deliveries import DeliveryAttempt as DeliveryAttempt
from core.db.tables.deliveries import RecentOutcomes as RecentOutcomes
from core.db.tables.events import Event as Event
from core.db.tables.fanpages import CallsOfHour as CallsOfHour
from core.db.tables.fanpages import Fanpage as Fanpage
from core.db.tables.fanpages import FanpagePicture as FanpagePicture
from core.db.tables.fanpages import FanpageRate as FanpageRate
from core.db.tables.fanpages import SetUpConfirmation as SetUpConfirmation
from core.db.tables.installation import Backup as Backup
from core.db.tables.installation import Heartbeat as Heartbeat
from core.db.tables.installation import Hold as Hold
from core.db.tables.installation import InstallationCheck as InstallationCheck
from core.db.tables.installation import KeyCheck as KeyCheck
from core.db.tables.installation import TokenKey as TokenKey
from core.db.tables.messages import Block as Block
from core.db.tables.messages import EntryPoint as EntryPoint
from core.db.tables.messages import Message as Message
from core.db.tables.messages import MessageVersion as MessageVersion
from core.db.tables.messages import MessengerProfile as MessengerProfile
from core.db.tables.messages import Picture as Picture
from core.db.tables.opt_ins import OptIn as OptIn
from core.db.tables.opt_ins import OptInCount as OptInCount
from core.db.tables.opt_ins import OptInImport as OptInImport
from core.db.tables.opt_ins import Topic as Topic
from core.db.tables.opt_ins import TopicCount as TopicCount
from core.db.tables.opt_ins import Withdrawal as Withdrawal
from core.db.tables.replies import Reply as Reply
from core.db.tables.replies import Request as Request
from core.db.tables.replies import Tester as Tester
from core.db.tables.replies import TesterMessage as TesterMessage
from core.db.tables.replies import WithheldRequest as WithheldRequest
from core.db.tables.templates import Template as Template

"""The front of subscriptions, pushes and downloads: ``from dizuo.engines.exchange import feeds``."""

from dizuo.engines.exchange.delivery.bulk import BulkDesk, MadePart
from dizuo.engines.exchange.delivery.bulk_model import Bulk, BulkFormat, BulkPart
from dizuo.engines.exchange.delivery.subscribe import (
    once,
    replay,
    subscribe,
    subscription,
    subscriptions,
    unsubscribe,
)
from dizuo.engines.exchange.delivery.subscribe_errors import DeliveryRefused, SubscriptionUnknown
from dizuo.engines.exchange.delivery.subscribe_model import Channel, Subscription
from dizuo.engines.exchange.delivery.subscribe_stream import Streams, begin, stream
from dizuo.engines.exchange.delivery.webhook_address import HOSTS, Addresses
from dizuo.engines.exchange.delivery.webhook_dispatch import Dispatcher
from dizuo.engines.exchange.delivery.webhook_send import WebhookSender

__all__ = [
    "HOSTS",
    "Addresses",
    "Bulk",
    "BulkDesk",
    "BulkFormat",
    "BulkPart",
    "Channel",
    "DeliveryRefused",
    "Dispatcher",
    "MadePart",
    "Streams",
    "Subscription",
    "SubscriptionUnknown",
    "WebhookSender",
    "begin",
    "once",
    "replay",
    "stream",
    "subscribe",
    "subscription",
    "subscriptions",
    "unsubscribe",
]

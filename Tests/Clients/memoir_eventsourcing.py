"""Memoir as the persistence module of the library eventsourcing: its events in Memoir's log, over Memoir's own HTTP API.

    PERSISTENCE_MODULE=memoir_eventsourcing MEMOIR_URL=http://127.0.0.1:3300 [MEMOIR_KEY=…] [MEMOIR_NAMESPACE=…]

An aggregate is a user's stream; a stored event is an event of the application's own type `es:TOPIC`, whose id follows
from the aggregate and its version: so the log itself refuses a version that is taken. Notification ids are positions.
"""

import base64
import http.client
import json
import socket
import threading
import weakref
from itertools import groupby
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID, uuid5

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Notification,
    OperationalError,
    ProcessRecorder,
    ProgrammingError,
    StoredEvent,
    Subscription,
    TrackingRecorder,
)
from eventsourcing.utils import resolve_topic

EVENT_IDS = UUID("6f1c2a52-4a57-5c3a-9d0e-0d6d2d8a6b11")
TOPIC_PREFIX = "es:"
TRACKING_TYPE = "Tracking"
LARGEST_PAGE = 10_000


class Refused(Exception):
    """An answer that says what was wrong."""

    def __init__(self, status, body):
        error = json.loads(body)["error"]
        super().__init__(f"{status}: {error['message']}")
        self.code = error["code"]


class Client:
    """Asks a server, each thread on a connection of its own."""

    def __init__(self, url, key=None, namespace="default"):
        self.address = urlsplit(url).netloc
        self.namespace = namespace
        self.headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._local = threading.local()
        self._connections = weakref.WeakSet()

    def close(self):
        for connection in list(self._connections):
            connection.close()

    def connect(self):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.connect()
        self._connections.add(connection)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def target(self, path, *parameters):
        given = [(name, value) for name, value in parameters if value is not None]
        return f"{path}?{urlencode([('namespace', self.namespace), *given])}"

    def get(self, path, *parameters):
        return self._ask("GET", self.target(path, *parameters))

    def append(self, appends):
        """Appends to several streams, all or nothing."""
        body = json.dumps({"appends": appends, "namespace": self.namespace})
        return self._ask("POST", "/v1/events", body)["results"]

    def _ask(self, method, target, body=None):
        connection = getattr(self._local, "connection", None) or self.connect()
        self._local.connection = None
        try:
            connection.request(method, target, body, self.headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise OperationalError(str(error)) from error
        self._local.connection = connection
        if response.status >= 400:
            raise Refused(response.status, answer)
        return json.loads(answer)


def printed(event):
    """A stored event as Memoir takes it."""
    name = f"{event.originator_id}/{event.originator_version}"
    return {
        "id": str(uuid5(EVENT_IDS, name)),
        "type": TOPIC_PREFIX + event.topic,
        "data": {
            "is_uuid": isinstance(event.originator_id, UUID),
            "originator_version": event.originator_version,
            "state": {"$bytes": base64.b64encode(event.state).decode()},
        },
    }


def fields(event):
    """What a stored event is made of."""
    user, data = event["user"], event["data"]
    return {
        "originator_id": UUID(user) if data["is_uuid"] else user,
        "originator_version": data["originator_version"],
        "topic": event["type"].removeprefix(TOPIC_PREFIX),
        "state": base64.b64decode(data["state"]["$bytes"]),
    }


def is_stored(event):
    """Whether an event of the log is one that was stored here."""
    return event["type"].startswith(TOPIC_PREFIX)


def notification(event):
    return Notification(id=event["position"], **fields(event))


class MemoirRecorder:
    def __init__(self, client):
        self._client = client

    def _insert(self, appends):
        """Appends; whatever is there already is no repeat here, but a conflict."""
        try:
            results = self._client.append(appends)
        except Refused as error:
            kinds = {"id_conflict": IntegrityError, "version_conflict": IntegrityError, "unavailable": OperationalError}
            raise kinds.get(error.code, ProgrammingError)(str(error)) from error
        if any(result["duplicate"] for result in results):
            raise IntegrityError("the events are recorded already")
        return results


class MemoirAggregateRecorder(MemoirRecorder, AggregateRecorder):
    def insert_events(self, stored_events, **kwargs):
        self._insert_events(stored_events, **kwargs)

    def _insert_events(self, stored_events, **kwargs):
        appends = self._appends(stored_events)
        if not appends:
            return []
        results = self._insert(appends)
        return [
            position
            for result in results
            for position in range(result["first_position"], result["last_position"] + 1)
        ]

    def _appends(self, stored_events):
        return [
            {"user": user, "events": [printed(event) for event in events]}
            for user, events in groupby(stored_events, lambda event: str(event.originator_id))
        ]

    def select_events(self, originator_id, *, gt=None, lte=None, desc=False, limit=None):
        path = f"/v1/users/{quote(str(originator_id), safe='')}/events"
        direction = "backward" if desc else "forward"
        found, start = [], None
        while limit is None or len(found) < limit:
            page = self._client.get(
                path, ("direction", direction), ("from_version", start), ("limit", min(limit or 1_000, LARGEST_PAGE)))
            events = [StoredEvent(**fields(event)) for event in page["events"] if is_stored(event)]
            found += [
                event for event in events
                if (gt is None or event.originator_version > gt) and (lte is None or event.originator_version <= lte)
            ]
            start = page["next_version"]
            if start is None:
                break
        return found[:limit]


class MemoirApplicationRecorder(MemoirAggregateRecorder, ApplicationRecorder):
    def insert_events(self, stored_events, **kwargs):
        return self._insert_events(stored_events, **kwargs)

    def select_notifications(self, start, limit, stop=None, topics=(), *, inclusive_of_start=True):
        position = max((start or 0) - (1 if inclusive_of_start else 0), 0)
        types = [("type", TOPIC_PREFIX + topic) for topic in topics]
        found = []
        while position is not None and len(found) < limit:
            page = self._client.get(
                "/v1/events", ("after_position", position), ("to_position", stop),
                ("limit", min(limit, LARGEST_PAGE)), *types)
            found += [notification(event) for event in page["events"] if is_stored(event)]
            position = page["next_position"]
        return found[:limit]

    def max_notification_id(self):
        # The log's end: what follows a position that far is what follows the last notification.
        return self._client.get("/v1/events", ("limit", 1))["head_position"] or None

    def subscribe(self, gt=None, topics=()):
        return MemoirSubscription(self, gt=gt, topics=topics)


class MemoirSubscription(Subscription):
    """Notifications as they come: server-sent events, read where they are asked for."""

    def __init__(self, recorder, gt=None, topics=()):
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        client = recorder._client
        types = [("type", TOPIC_PREFIX + topic) for topic in topics]
        self._connection = client.connect()
        # A comment comes every 15 seconds.
        self._socket = self._connection.sock
        self._connection.request(
            "GET", client.target("/v1/events/live", ("after_position", gt or 0), *types), headers=client.headers)
        self._response = self._connection.getresponse()
        if self._response.status != 200:
            raise Refused(self._response.status, self._response.read())

    def stop(self):
        super().stop()
        try:
            # Wakes whoever waits for the next one.
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def __exit__(self, *args, **kwargs):
        super().__exit__(*args, **kwargs)
        self._response.close()
        self._connection.close()

    def __next__(self):
        while not self._has_been_stopped:
            try:
                line = self._response.readline()
            except (OSError, ValueError, http.client.HTTPException) as error:
                if self._has_been_stopped:
                    break
                raise OperationalError(str(error)) from error
            if self._has_been_stopped:
                break
            if not line:
                raise OperationalError("the server ended the subscription")
            if not line.startswith(b"data:"):
                continue
            event = json.loads(line.removeprefix(b"data:"))
            if is_stored(event):
                self._last_notification_id = event["position"]
                return notification(event)
        raise StopIteration


class MemoirTrackingRecorder(MemoirRecorder, TrackingRecorder):
    def insert_tracking(self, tracking):
        self._insert([self._tracking(tracking)])

    def max_tracking_id(self, application_name):
        return self._last(application_name)[0]

    def _last(self, application_name):
        """The last notification that was processed, and the version of the stream that says so."""
        path = f"/v1/users/{quote(self._stream(application_name), safe='')}/events"
        page = self._client.get(path, ("direction", "backward"), ("limit", 1))
        for event in page["events"]:
            return event["data"]["notification_id"], event["version"]
        return None, 0

    def _tracking(self, tracking):
        """What is appended; it is refused where another comes first."""
        last, version = self._last(tracking.application_name)
        if last is not None and last >= tracking.notification_id:
            raise IntegrityError(f"{tracking} comes after {last}")
        return {
            "user": self._stream(tracking.application_name),
            "expected_version": version,
            "events": [{"type": TRACKING_TYPE, "data": {"notification_id": tracking.notification_id}}],
        }

    @staticmethod
    def _stream(application_name):
        return f"tracking of {application_name}"


class MemoirProcessRecorder(MemoirTrackingRecorder, MemoirApplicationRecorder, ProcessRecorder):
    def insert_events(self, stored_events, tracking=None, **kwargs):
        appends = self._appends(stored_events)
        count = len(appends)
        if tracking is not None:
            appends.append(self._tracking(tracking))
        if not appends:
            return []
        return [
            position
            for result in self._insert(appends)[:count]
            for position in range(result["first_position"], result["last_position"] + 1)
        ]


class MemoirFactory(InfrastructureFactory[MemoirTrackingRecorder]):
    """Makes recorders of what the environment names; snapshots go to a namespace of their own."""

    def _client(self, suffix=""):
        namespace = self.env.get("MEMOIR_NAMESPACE") or "default"
        return Client(self.env.get("MEMOIR_URL"), self.env.get("MEMOIR_KEY"), namespace + suffix)

    def aggregate_recorder(self, purpose="events"):
        return MemoirAggregateRecorder(self._client("" if purpose == "events" else f"-{purpose}"))

    def application_recorder(self):
        return MemoirApplicationRecorder(self._client())

    def tracking_recorder(self, tracking_recorder_class=None):
        topic = self.env.get(self.TRACKING_RECORDER_TOPIC)
        chosen = tracking_recorder_class or (resolve_topic(topic) if topic else MemoirTrackingRecorder)
        return chosen(self._client())

    def process_recorder(self):
        return MemoirProcessRecorder(self._client())

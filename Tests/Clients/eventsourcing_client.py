"""The persistence tests of the library eventsourcing, on its recorder for Memoir: eventsourcing_client.py PROGRAM.

Each test that makes a recorder gets a server of its own, since it counts from the first position on. Prints how many
tests there were, when all of them passed.
"""

import io
import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from contextlib import redirect_stdout

from eventsourcing.tests import persistence as given
from eventsourcing.utils import Environment, get_topic

# No bytecode beside the sources.
sys.dont_write_bytecode = True
import memoir_eventsourcing as memoir

PROGRAM = sys.argv[1]


class ServedTest(unittest.TestCase):
    """A test with a server, on a store that nobody has used."""

    def serve(self):
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        server = subprocess.Popen(
            [PROGRAM, "--store", f"{folder}/store", "serve", "--listen", "127.0.0.1:0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        reader = memoir.threading.Thread(target=server.stderr.read, daemon=True)

        def end():
            server.kill()
            server.wait()
            if reader.is_alive():
                reader.join()
            server.stderr.close()

        self.addCleanup(end)
        for line in server.stderr:
            said = json.loads(line)
            if said["event"] == "ready":
                # Its log is read on, or it would have nowhere to go.
                reader.start()
                return "http://" + said["address"]
        self.fail("the server does not begin")

    def client(self):
        client = memoir.Client(self.serve())
        self.addCleanup(client.close)
        return client


class Aggregates(given.AggregateRecorderTestCase, ServedTest):
    def create_recorder(self):
        return memoir.MemoirAggregateRecorder(self.client())


class Applications(given.ApplicationRecorderTestCase, ServedTest):
    def create_recorder(self):
        return memoir.MemoirApplicationRecorder(self.client())

    def test_insert_subscribe(self):
        self.optional_test_insert_subscribe()


class Positions(given.NonInterleavingNotificationIDsBaseCase, ServedTest):
    def create_recorder(self):
        return memoir.MemoirApplicationRecorder(self.client())


class Trackings(given.TrackingRecorderTestCase, ServedTest):
    def create_recorder(self):
        return memoir.MemoirTrackingRecorder(self.client())


class Processes(given.ProcessRecorderTestCase, ServedTest):
    def create_recorder(self):
        return memoir.MemoirProcessRecorder(self.client())


class OwnTrackings(memoir.MemoirTrackingRecorder):
    pass


class Factories(given.InfrastructureFactoryTestCase, ServedTest):
    def setUp(self):
        self.env = Environment("Tests")
        self.env["PERSISTENCE_MODULE"] = get_topic(memoir.MemoirFactory)
        self.env["MEMOIR_URL"] = "http://127.0.0.1:1"
        super().setUp()

    def expected_factory_class(self):
        return memoir.MemoirFactory

    def expected_aggregate_recorder_class(self):
        return memoir.MemoirAggregateRecorder

    def expected_application_recorder_class(self):
        return memoir.MemoirApplicationRecorder

    def expected_tracking_recorder_class(self):
        return memoir.MemoirTrackingRecorder

    def tracking_recorder_subclass(self):
        return OwnTrackings

    def expected_process_recorder_class(self):
        return memoir.MemoirProcessRecorder


cases = [Aggregates, Applications, Positions, Trackings, Processes, Factories]
suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in cases)
report = io.StringIO()
# The tests themselves print how fast they were.
with redirect_stdout(io.StringIO()):
    result = unittest.TextTestRunner(report).run(suite)
if not result.wasSuccessful():
    sys.exit(report.getvalue())
print(f"{result.testsRun} tests")

"""Makes every call, of a worker at STREAMEM_URL with the token STREAMEM_TOKEN and the models sensors and devices."""

import inspect
import os
import random
import unittest

from streamem import Client, StreamEmError

URL = os.environ.get("STREAMEM_URL", "")
TOKEN = os.environ.get("STREAMEM_TOKEN")


def readings(count):
    chance = random.Random(1)
    for number in range(count):
        hot = chance.random() < 0.3
        yield {"temperature": chance.gauss(70 if hot else 20, 2), "pressure": chance.gauss(1.3 if hot else 1.0, 0.05), "number": number}


class Listed:
    """A client of which is known what was called."""

    def __init__(self, client):
        self._client = client
        self.called = set()

    def __getattr__(self, name):
        self.called.add(name)
        return getattr(self._client, name)


@unittest.skipUnless(URL, "STREAMEM_URL names no worker")
class ClientTest(unittest.TestCase):
    def test_errors_say_what_is_wrong(self):
        client = Client(URL, TOKEN)
        for call, status, title in [
            (lambda: Client(URL, "another").list_models(), 401, "Token required"),
            (lambda: Client(URL).list_models(), 401, "Token required"),
            (lambda: client.get_newest_snapshot("none"), 404, "Unknown model"),
            (lambda: client.score("none", [{"temperature": 1}]), 404, "Unknown model"),
            (lambda: client.stream_snapshots("none"), 404, "Unknown model"),
            (lambda: client.send_records("sensors", "no records", content_type="application/json"), 400, "Not records"),
            (lambda: client.send_records("sensors", b"x", content_type="text/html"), 415, "Unknown media type"),
            (lambda: client.send_records("sensors", [{"temperature": "warm"}]), 422, "No usable record"),
            (lambda: client.list_recent("sensors", kind="best"), 400, "Bad parameter"),
            (lambda: client.what_if("sensors"), 409, "Nothing to replay"),
            (lambda: client.reload(), 409, "Configuration not used"),
            (lambda: client.count_keys("sensors"), 409, "No models per key"),
            (lambda: client.list_workers("sensors"), 409, "One worker"),
        ]:
            with self.assertRaises(StreamEmError) as raised:
                call()
            error = raised.exception
            self.assertEqual((error.status, error.title), (status, title))
            self.assertTrue(error.detail)
            self.assertIn(error.detail, str(error))
        self.assertEqual(error.problem["status"], 409)
        with self.assertRaises(StreamEmError) as raised:
            client.get_newest_snapshot("none")
        self.assertEqual((raised.exception.problem["found"], raised.exception.problem["expected"]), ("none", ["sensors", "devices"]))

    def test_every_call_is_answered(self):
        client = Listed(Client(URL, TOKEN))
        self.assertEqual(client.livez(), "ok\n")
        self.assertEqual(client.startupz()["status"], "ok")
        self.assertEqual(client.readyz(model="sensors")["status"], "ok")
        self.assertIn("version", client.version())
        self.assertIn("streamem_build_info", client.metrics())
        self.check_records(client)
        self.check_versions(client)
        self.check_keys(client)
        self.check_administration(client)
        # What this worker refuses.
        for call in (client.reload, lambda: client.list_workers("sensors")):
            with self.assertRaises(StreamEmError):
                call()
        self.assertEqual(client.drain(), {"status": "draining"})
        calls = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
        self.assertEqual(client.called, calls)

    def check_records(self, client):
        self.assertEqual(client.send_records("sensors", readings(2000))["accepted"], 2000)
        self.assertEqual(client.send_records("sensors", "temperature,pressure\n20,1\n", content_type="text/csv")["accepted"], 1)
        newest = client.get_newest_snapshot("sensors", min_version=15, wait="60s")
        self.assertEqual(newest["signature"]["features"], ["temperature", "pressure"])
        self.assertEqual(len(newest["parameters"]["means"]["data"]), 4)
        scores = list(client.score("sensors", [{"temperature": 20, "pressure": 1}, {"temperature": 45}, {"temperature": "warm"}]))
        self.assertLess(scores[0]["anomaly_score"], scores[1]["anomaly_score"])
        self.assertIn("temperature", scores[2]["error"]["detail"])
        self.assertEqual(len(client.list_recent("sensors", kind="sample", limit=5)["records"]), 5)
        compared = client.what_if("sensors", kappa=0.9)
        self.assertEqual(compared["records"], 2001)
        self.assertEqual(compared["settings"], ["models.sensors.learning.step_size.kappa=0.9"])

    def check_versions(self, client):
        self.assertEqual([model["id"] for model in client.list_models()], ["sensors", "devices"])
        versions = client.list_snapshots("sensors", after=2, components=True)
        first, last = versions[0]["version"], versions[-1]["version"]
        self.assertGreater(last, first)
        self.assertGreater(first, 2)
        self.assertEqual(set(versions[-1]["components"]), {"c0", "c1"})
        self.assertEqual(client.get_snapshot("sensors", last)["version"], last)
        stream = client.stream_snapshots("sensors", last_event_id=str(first))
        self.assertGreater(next(stream)["version"], first)
        stream.close()
        self.assertGreaterEqual(client.compare_snapshots("sensors", first, last)["kl_a_b"]["value"], 0)
        self.assertEqual([block["name"] for block in client.get_layout("sensors")["blocks"]], ["weights", "means", "covariances"])
        self.assertIn("ellipse", client.list_components("sensors", x="temperature", y="pressure")["components"][0])
        self.assertTrue(client.get_graph("sensors").startswith("<svg"))

    def check_keys(self, client):
        chance = random.Random(2)
        loads = [{"device": f"hall/{number % 2}", "load": chance.gauss(5, 1)} for number in range(600)]
        self.assertEqual(client.send_records("devices", loads)["accepted"], 600)
        client.get_newest_snapshot("devices", min_version=12, wait="60s")
        self.assertEqual(client.count_keys("devices")["known"], 2)
        self.assertGreater(client.get_key("devices", "hall/1")["records"], 200)
        word = client.give_feedback("devices", "normal", record=500, move_threshold=True)
        self.assertEqual(word["record"], 500)

    def check_administration(self, client):
        version = client.checkpoint("sensors")["version"]
        earlier = client.list_snapshots("sensors")[0]["version"]
        self.assertTrue(client.pause("sensors")["paused"])
        self.assertFalse(client.resume("sensors")["paused"])
        self.assertEqual(client.pin("sensors")["pinned_version"], version)
        self.assertNotIn("pinned_version", client.unpin("sensors"))
        self.assertEqual(client.revert("sensors", version=earlier)["version"], version + 1)
        self.assertEqual(len(client.checkpoint_all()), 2)
        self.assertEqual([model["paused"] for model in client.pause_all()], [True, True])
        self.assertEqual([model["paused"] for model in client.resume_all()], [False, False])


if __name__ == "__main__":
    unittest.main()

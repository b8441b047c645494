"""Prints what the trackers' own readers find in what PEFT4J wrote, as one JSON object.

    python read_trackers.py tensorboard FOLDER | wandb FOLDER | mlflow ADDRESS EXPERIMENT

Made with tensorboard 2.21.0, wandb 0.22.0 (the last one with a reader in Python) and mlflow 3.17.2.
"""
import glob
import json
import sys


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    texts = {tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in events.Tags()["tensors"]}
    return {"scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]},
            "texts": texts}


def wandb(folder):
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore
    store = DataStore()
    store.open_for_scan(glob.glob(folder + "/wandb/offline-run-*/run-*.wandb")[0])
    found = {"history": [], "kinds": []}
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        kind = record.WhichOneof("record_type")
        found["kinds"].append(kind)
        if kind == "run":
            found["run"] = {"name": record.run.display_name, "project": record.run.project,
                            "tags": list(record.run.tags), "id": record.run.run_id}
            found["config"] = {item.key: json.loads(item.value_json) for item in record.run.config.update}
        if kind == "history":
            found["history"].append({item.key: json.loads(item.value_json) for item in record.history.item})
        if kind == "summary":
            found["summary"] = {item.key: json.loads(item.value_json) for item in record.summary.update}
        if kind == "files":
            found["files"] = [item.path for item in record.files.files]
        if kind == "exit":
            found["exit"] = record.exit.exit_code
    return found


def mlflow(address, experiment):
    from mlflow import MlflowClient
    client = MlflowClient(address)
    run = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])[0]
    return {"name": run.info.run_name, "status": run.info.status, "params": run.data.params, "tags": run.data.tags,
            "metrics": {name: [[m.step, m.value] for m in client.get_metric_history(run.info.run_id, name)]
                        for name in run.data.metrics},
            "artifacts": [file.path for file in client.list_artifacts(run.info.run_id, "adapter")]}


print(json.dumps({"tensorboard": tensorboard, "wandb": wandb, "mlflow": mlflow}[sys.argv[1]](*sys.argv[2:])))

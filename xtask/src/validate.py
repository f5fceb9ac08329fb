"""Checks rendered Kubernetes objects and the compose file. Run by `cargo xtask validate`, which installs what it needs."""

import argparse
import collections
import json
import sys

import jsonschema
import kubernetes_validate
import yaml

faults = []


def fault(where, what):
    faults.append(f"{where}: {what}")


def name(thing):
    return f"{thing.get('kind')}/{(thing.get('metadata') or {}).get('name')}"


def where(error):
    return ".".join(str(step) for step in error.path) or "(top)"


def objects(path):
    with open(path) as file:
        return [thing for thing in yaml.safe_load_all(file) if thing]


def check_object(path, thing, version, keda):
    """One object against the schema of its kind, open to nothing that the schema does not name."""
    try:
        if thing["apiVersion"].startswith("keda.sh/"):
            for error in keda.iter_errors(thing):
                fault(path, f"{name(thing)}: {where(error)}: {error.message}")
        else:
            kubernetes_validate.validate(thing, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        fault(path, f"{name(thing)}: {where(error)}: {error.message}")
    except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.VersionNotSupportedError) as error:
        fault(path, f"{name(thing)}: {error.message}")


def check_base(path, things, services):
    """What no schema knows: that the objects fit one another, and the table."""
    there = {name(thing) for thing in things}
    for service in services:
        for kind in ("Deployment", "ServiceAccount", "PodDisruptionBudget"):
            if f"{kind}/millrace-{service}" not in there:
                fault(path, f"there is no {kind} for {service}")
    pods = [(name(thing), thing["spec"]["template"]) for thing in things if thing["kind"] in ("Deployment", "Job")]
    for owner, pod in pods:
        account = f"ServiceAccount/{pod['spec'].get('serviceAccountName')}"
        if account not in there:
            fault(path, f"{owner} runs as {account}, which is not there")
        for container in pod["spec"]["containers"]:
            for source in container.get("envFrom", []):
                reference = source.get("configMapRef")
                if reference and f"ConfigMap/{reference['name']}" not in there:
                    fault(path, f"{owner} reads ConfigMap/{reference['name']}, which is not there")
    for thing in things:
        if thing["kind"] == "ScaledObject":
            target = f"Deployment/{thing['spec']['scaleTargetRef']['name']}"
            if target not in there:
                fault(path, f"{name(thing)} scales {target}, which is not there")
        selector = thing.get("spec", {}).get("selector") if thing["kind"] in ("Service", "PodDisruptionBudget") else None
        if selector:
            wanted = selector.get("matchLabels", selector).items()
            if not any(wanted <= pod["metadata"]["labels"].items() for _, pod in pods):
                fault(path, f"{name(thing)} selects no pod")


def check_compose(path, services):
    """That it is a compose file which runs every service of the table; returns how many services it has."""
    with open(path) as file:
        compose = yaml.safe_load(file)
    there = compose.get("services", {})
    for service in services:
        if f"millrace-{service}" not in (there.get(service, {}).get("command") or []):
            fault(path, f"the service {service} of the table does not run there")
    for wanted in ("nats", "redis", "provision"):
        if wanted not in there:
            fault(path, f"{wanted} is not there")
    for service, body in there.items():
        if not (body.get("image") or body.get("build")):
            fault(path, f"{service} has neither image nor build")
        for other in body.get("depends_on", []):
            if other not in there:
                fault(path, f"{service} depends on {other}, which is not there")
        for volume in body.get("volumes", []):
            source = str(volume).split(":")[0]
            if not source.startswith((".", "/")) and source not in (compose.get("volumes") or {}):
                fault(path, f"{service} mounts the volume {source}, which is not declared")
    return len(there)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubernetes", required=True)
    parser.add_argument("--services", required=True)
    parser.add_argument("--compose", required=True)
    parser.add_argument("--keda", required=True)
    parser.add_argument("rendered", nargs="+")
    options = parser.parse_args()
    services = options.services.split(",")
    # Fields such as a version `=1` are strings, see pyyaml issue 89.
    yaml.SafeLoader.add_constructor("tag:yaml.org,2002:value", lambda loader, node: str(node.value))

    with open(options.keda) as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    keda = jsonschema.Draft202012Validator(schema)

    for at, path in enumerate(options.rendered):
        things = objects(path)
        if not things:
            fault(path, "nothing was rendered")
        for thing in things:
            check_object(path, thing, options.kubernetes, keda)
        if at == 0:
            check_base(path, things, services)
        kinds = collections.Counter(thing["kind"] for thing in things)
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        print(f"{path.rsplit('/', 1)[-1]}: {len(things)} objects checked: {told}")
    print(f"  strictly, against the schemas of Kubernetes {options.kubernetes}, ScaledObjects against KEDA's fields")
    count = check_compose(options.compose, services)
    print(f"{options.compose.rsplit('/', 1)[-1]}: {count} services checked, the {len(services)} of the table among them")
    for problem in faults:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(1 if faults else 0)


main()

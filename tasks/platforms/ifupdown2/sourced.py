"""The files that /etc/network/interfaces sources: what stands in them is as valid as what stands in the file itself."""

import json
from collections.abc import Mapping

from tasks.core.model.fact import Fact

# As ifupdown2 finds them (networkinterfaces.py): patterns, also relative ones, in any depth. What cannot be read is null.
READ_SOURCED = r"""python3 - <<'END_OF_SCRIPT'
import glob, json, os

MAIN = "/etc/network/interfaces"
said, waiting = {}, [MAIN] if os.path.exists(MAIN) else []
while waiting:
    path = waiting.pop(0)
    if path in said or os.path.isdir(path):
        continue
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            said[path] = file.read()
    except OSError:
        said[path] = None
    for line in (said[path] or "").replace("\\\n", " ").splitlines():
        words = line.split()
        if words[:1] not in (["source"], ["source-directory"]) or len(words) < 2:
            continue
        pattern = os.path.join(os.path.dirname(path), words[1])
        for place in sorted(glob.glob(pattern)):
            if words[0] == "source" or not os.path.isdir(place):
                waiting.append(place)
                continue
            try:
                waiting += [os.path.join(place, name) for name in sorted(os.listdir(place))]
            except OSError:
                said[place] = None
        folder = os.path.dirname(pattern)
        if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
            said[folder] = None
said.pop(MAIN, None)
print(json.dumps(said))
END_OF_SCRIPT
"""


def _sourced(output: str) -> Mapping[str, str | None]:
    return {str(path): None if said is None else str(said) for path, said in json.loads(output).items()}


SOURCED = Fact("interfaces_sourced", READ_SOURCED, _sourced)

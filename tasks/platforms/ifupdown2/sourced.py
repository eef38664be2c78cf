"""The files that /etc/network/interfaces sources: their stanzas are as valid as those in the file itself."""

import json
from collections.abc import Mapping

from tasks.core.model.fact import Fact

# Finds the files as ifupdown2 does (networkinterfaces.py): by patterns, also relative ones, at any depth. An unreadable file is null.
READ_SOURCED = r"""python3 - <<'END_OF_SCRIPT'
import glob, json, os

MAIN = "/etc/network/interfaces"
texts, waiting = {}, [MAIN] if os.path.exists(MAIN) else []
while waiting:
    path = waiting.pop(0)
    if path in texts or os.path.isdir(path):
        continue
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            texts[path] = file.read()
    except OSError:
        texts[path] = None
    for line in (texts[path] or "").replace("\\\n", " ").splitlines():
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
                texts[place] = None
        folder = os.path.dirname(pattern)
        if os.path.isdir(folder) and not os.access(folder, os.R_OK | os.X_OK):
            texts[folder] = None
texts.pop(MAIN, None)
print(json.dumps(texts))
END_OF_SCRIPT
"""


def _sourced(output: str) -> Mapping[str, str | None]:
    return {str(path): None if text is None else str(text) for path, text in json.loads(output).items()}


SOURCED = Fact("interfaces_sourced", READ_SOURCED, _sourced)

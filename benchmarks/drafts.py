"""Six drafts of the recipes that ship, by their own sources and steps, for thousands of pictures in minutes.

What takes seconds, painting by patches and the second enlargement, is left out or done by a network.
"""

STYLES = """[
    "builtin:great-wave", "builtin:starry-night", "builtin:composition-viii", "builtin:the-kiss",
    "builtin:autumn-school", "builtin:takiyasha", "builtin:la-grande-jatte", "builtin:the-scream",
]"""
ABSTRACTS = f"""
[source]
use = "crops"
images = "builtin:textures"
size = 64
pieces = {{ choice = [1, 2, 2, 3] }}
shapes = {{ uniform = [1.0, 4.0] }}
palette = {{ choice = ["harmony", "harmony", "images", "own"] }}
[[steps]]
use = "style"
method = "net"
style = {{ choice = {STYLES} }}
strength = {{ uniform = [0.0, 1.0] }}
[[steps]]
use = "upscale"
model = {{ choice = ["abstract-8x", "abstract-8x", "nature-8x"] }}
scale = 4
noise = {{ uniform = [0.4, 1.2] }}
[[steps]]
use = "grade"
stretch = 0.6
contrast = {{ uniform = [-0.2, 0.4] }}
saturation = {{ uniform = [0.6, 1.3] }}
warmth = {{ uniform = [-0.3, 0.3] }}
"""
SKETCHES = """
[source]
use = "crops"
images = ["builtin:textures", "builtin:photographs"]
size = 32
pieces = { choice = [1, 2, 2, 3] }
shapes = { uniform = [1.0, 3.0] }
palette = { choice = ["harmony", "harmony", "images", "own"] }
contrast = { uniform = [0.08, 0.3] }
[[steps]]
use = "upscale"
model = { choice = ["abstract-8x", "nature-8x"] }
noise = { uniform = [0.4, 1.2] }
[[steps]]
use = "grade"
contrast = { uniform = [-0.2, 0.3] }
saturation = { uniform = [0.4, 1.3] }
warmth = { uniform = [-0.3, 0.3] }
"""
COMPOSITIONS = """
[source]
use = "generator"
model = "compositions"
truncation = { uniform = [0.7, 1.1] }
[[steps]]
use = "upscale"
model = { choice = ["abstract-8x", "nature-8x"] }
scale = 4
noise = { uniform = [0.6, 1.0] }
[[steps]]
use = "grade"
stretch = 0.6
contrast = { uniform = [-0.1, 0.3] }
saturation = { uniform = [0.7, 1.2] }
warmth = { uniform = [-0.2, 0.25] }
"""
MATERIALS = """
[source]
use = "photos"
images = ["builtin:textures", "builtin:paintings"]
side = 320
[[steps]]
use = "crop"
aspect = { choice = ["1:1", "4:3"] }
fraction = { log_uniform = [0.12, 0.4] }
x = { uniform = [0.0, 1.0] }
y = { uniform = [0.0, 1.0] }
[[steps]]
use = "mix"
amount = { uniform = [0.3, 0.6] }
mode = "regions"
shapes = { uniform = [3.0, 8.0] }
colours = { uniform = [0.6, 1.0] }
[[steps]]
use = "upscale"
model = "nature-8x"
scale = 4
noise = { uniform = [0.8, 1.3] }
[[steps]]
use = "grade"
stretch = 0.6
contrast = { uniform = [0.1, 0.35] }
saturation = { uniform = [0.6, 1.2] }
warmth = { uniform = [-0.2, 0.25] }
"""
SEA = """
[source]
use = "photos"
images = ["builtin:photographs", "builtin:paintings"]
side = 320
[[steps]]
use = "crop"
aspect = { choice = ["1:1", "3:2"] }
fraction = { uniform = [0.35, 0.95] }
x = { uniform = [0.0, 1.0] }
y = { uniform = [0.0, 1.0] }
[[steps]]
use = "translate"
model = "waves"
side = 104
[[steps]]
use = "crop"
id = "rim"
fraction = 0.88
[[steps]]
use = "upscale"
model = "nature-8x"
scale = 3
noise = { uniform = [0.5, 0.9] }
[[steps]]
use = "grade"
stretch = 0.7
contrast = { uniform = [0.05, 0.3] }
saturation = { uniform = [0.7, 1.1] }
warmth = { uniform = [-0.25, 0.15] }
"""
FACES = """
[source]
use = "faces"
people = ["builtin:portraits/raven", "builtin:portraits/amber"]
faces = 2
size = 16
mode = { choice = ["blend", "halves", "features", "regions"] }
colours = { uniform = [0.3, 0.7] }
[[steps]]
use = "translate"
model = "portrait-mix"
[[steps]]
use = "grade"
stretch = { uniform = [0.3, 0.6] }
contrast = { uniform = [0.0, 0.2] }
saturation = { uniform = [0.85, 1.1] }
warmth = { uniform = [-0.1, 0.2] }
"""
DRAFTS = {
    "abstracts": (ABSTRACTS, 1400),
    "sketches": (SKETCHES, 1400),
    "compositions": (COMPOSITIONS, 1300),
    "materials": (MATERIALS, 500),
    "sea": (SEA, 200),
    "faces": (FACES, 200),
}
"""The text of each, and how many of 5,000 candidates come from it."""

"""C headers for clang-format to leave alone: what the scripts beside this one print."""
import textwrap


def number(kind, value):
    """Floats so that they read back the same, doubles to 13 digits, spreads to two."""
    if kind == "int":
        return str(int(value))
    if kind == "spread":
        return "%.1e" % value
    text = "%.9g" % value if kind == "float" else "%.13g" % value
    text = text if "." in text or "e" in text else text + ".0"
    return text + ("f" if kind == "float" else "")


def numbers(kind, values):
    """{1.0, 2.0, ...} over as many lines as it takes."""
    text = ", ".join(number(kind, value) for value in values)
    if len(text) < 60:
        return "{%s}" % text
    return "{\n%s}" % textwrap.fill(text, 96, initial_indent="    ", subsequent_indent="    ")


def c_array(kind, declarator, values):
    c_type = "double" if kind == "spread" else kind
    return "static const %s %s = %s;" % (c_type, declarator, numbers(kind, values))


def c_field(kind, name, values):
    return ".%s = %s," % (name, numbers(kind, values))


def c_header(script, *parts):
    print("/* Made by %s: do not edit; README.md tells how to make it again. */" % script)
    print("/* clang-format off */")
    for part in parts:
        print(part)

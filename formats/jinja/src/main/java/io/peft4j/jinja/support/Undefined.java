package io.peft4j.jinja.support;

/**
 * What a variable, attribute or item is that does not exist. It prints as nothing, is false and has no elements; every
 * other use is an error that says what is missing.
 */
record Undefined(String message) {
    static Undefined variable(String name) {
        return new Undefined("'" + name + "' is undefined");
    }

    static Undefined member(Object object, Object key) {
        String owner = object == null ? "None" : Types.name(object) + " object";
        return new Undefined(key instanceof String name
                ? "'" + owner + "' has no attribute '" + name + "'"
                : owner + " has no element " + (key instanceof Number ? key : Types.name(key)));
    }

    /** The error of using it. */
    TemplateError error() {
        return new TemplateError(message);
    }
}

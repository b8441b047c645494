package io.peft4j.jinja.support;

import java.util.HashMap;
import java.util.Map;

/** The variables of one block; a name that is not here is looked up outside. */
final class Scope {
    private final Scope outer;
    private final Map<String, Object> variables;

    Scope(Scope outer) {
        this(outer, new HashMap<>());
    }

    Scope(Scope outer, Map<String, Object> variables) {
        this.outer = outer;
        this.variables = variables;
    }

    void set(String name, Object value) {
        variables.put(name, value);
    }

    /** The value of a variable; {@link Undefined} if there is none. */
    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            Object value = scope.variables.get(name);
            if (value != null || scope.variables.containsKey(name)) {
                return value;
            }
        }
        return Undefined.variable(name);
    }
}

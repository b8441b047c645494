package io.peft4j.jinja.support;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The methods of Python's dict, list and tuple that templates can call. Those that would change the object are refused,
 * as in Jinja's immutable sandbox.
 */
final class ContainerMethods {
    private static final Set<String> DICT_CHANGES = Set.of("clear", "pop", "popitem", "setdefault", "update");
    private static final Set<String> LIST_CHANGES = Set.of("append", "clear", "extend", "insert", "pop", "remove",
            "reverse", "sort");

    private ContainerMethods() {
    }

    /** A method ready to be called, or an undefined value where it is refused; null if there is none of that name. */
    static Object bind(Object self, String name) {
        if (self instanceof Map<?, ?> map) {
            return DICT_CHANGES.contains(name) ? unsafe(self, name) : dictMethod(map, name);
        }
        if (self instanceof List) {
            return LIST_CHANGES.contains(name) ? unsafe(self, name) : listMethod(self, name);
        }
        return self instanceof Tuple && !name.equals("copy") ? listMethod(self, name) : null;
    }

    private static Undefined unsafe(Object self, String name) {
        return new Undefined("access to attribute '" + name + "' of '" + Types.name(self)
                + "' object is unsafe: a template cannot change its inputs");
    }

    private static TemplateFunction dictMethod(Map<?, ?> self, String name) {
        return switch (name) {
            case "items" -> view(self, name, DictView.Kind.ITEMS);
            case "keys" -> view(self, name, DictView.Kind.KEYS);
            case "values" -> view(self, name, DictView.Kind.VALUES);
            case "get" -> (runtime, arguments) -> {
                Arguments.Bound bound = arguments.bind("get", 1, "key", "default");
                Object key = Types.key(bound.get(0, null));
                return self.containsKey(key) ? self.get(key) : bound.get(1, null);
            };
            case "copy" -> (runtime, arguments) -> {
                runtime.budget().charge(self.size());
                return new LinkedHashMap<>(self);
            };
            default -> null;
        };
    }

    private static TemplateFunction view(Map<?, ?> self, String name, DictView.Kind kind) {
        return (runtime, arguments) -> {
            arguments.bind(name, 0);
            return new DictView(kind, self);
        };
    }

    private static TemplateFunction listMethod(Object self, String name) {
        List<Object> items = Types.sequence(self);
        return switch (name) {
            case "index" -> (runtime, arguments) -> {
                Object wanted = arguments.bind("index", 1, "value").get(0, null);
                for (int i = 0; i < items.size(); i++) {
                    if (PyCompare.equal(items.get(i), wanted, runtime.budget())) {
                        return (long) i;
                    }
                }
                throw new TemplateError(PyText.repr(wanted, runtime.budget()) + " is not in the " + Types.name(self));
            };
            case "count" -> (runtime, arguments) -> {
                Object wanted = arguments.bind("count", 1, "value").get(0, null);
                return items.stream().filter(item -> PyCompare.equal(item, wanted, runtime.budget())).count();
            };
            case "copy" -> (runtime, arguments) -> {
                runtime.budget().charge(items.size());
                return new ArrayList<>(items);
            };
            default -> null;
        };
    }
}

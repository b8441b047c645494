package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Statement.Signature;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A macro, or the body of a call block: a function that gives the text it writes. */
record Macro(String name, Signature signature, List<Statement> body, Scope definedIn) implements TemplateFunction {
    /** What the body of a call block is called in the macro that is given it. */
    static final String CALLER = "caller";

    @Override
    public Object call(Runtime runtime, Arguments arguments) {
        List<String> names = signature.names();
        Map<String, Object> named = new LinkedHashMap<>(arguments.named());
        List<Object> positional = arguments.positional();
        Scope scope = new Scope(definedIn);
        List<Integer> missing = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            String parameter = names.get(i);
            if (i < positional.size()) {
                scope.set(parameter, positional.get(i));
            } else if (named.containsKey(parameter)) {
                scope.set(parameter, named.remove(parameter));
            } else {
                missing.add(i);
            }
        }
        if (signature.takesCaller() && !names.contains(CALLER)) {
            Object caller = named.remove(CALLER);
            scope.set(CALLER, caller == null ? new Undefined("No caller defined") : caller);
        }
        if (!named.isEmpty()) {
            String first = named.keySet().iterator().next();
            throw new TemplateError("macro '" + name + "' takes no keyword argument '" + first + "'");
        }
        if (positional.size() > names.size()) {
            throw new TemplateError("macro '" + name + "' takes not more than " + names.size() + " argument(s)");
        }
        runtime.in(scope, () -> {
            missing.forEach(i -> scope.set(names.get(i), missing(i, runtime)));
            return null;
        });
        StringBuilder text = new StringBuilder();
        runtime.capture(scope, body, text::append);
        return text.toString();
    }

    private Object missing(int parameter, Runtime runtime) {
        int fromEnd = parameter - signature.names().size() + signature.defaults().size();
        return fromEnd < 0 ? new Undefined("parameter '" + signature.names().get(parameter) + "' was not provided")
                : runtime.evaluate(signature.defaults().get(fromEnd));
    }
}

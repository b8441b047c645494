package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Statement.Signature;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A macro, or the body of a call block: a function that gives the text it writes. */
final class Macro implements TemplateFunction {
    private static final String CALLER = "caller";

    private final String name;
    private final Signature signature;
    private final List<Statement> body;
    private final Scope definedIn;
    private final StatementRunner runner;

    Macro(String name, Signature signature, List<Statement> body, Scope definedIn, StatementRunner runner) {
        this.name = name;
        this.signature = signature;
        this.body = body;
        this.definedIn = definedIn;
        this.runner = runner;
    }

    String name() {
        return name;
    }

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
        rest(scope, named, positional);
        int firstDefault = names.size() - signature.defaults().size();
        return runner.capture(scope, body, () -> missing.forEach(i -> scope.set(names.get(i), i < firstDefault
                ? new Undefined("parameter '" + names.get(i) + "' was not provided")
                : runner.evaluate(signature.defaults().get(i - firstDefault)))));
    }

    /** Puts the arguments that belong to no parameter where the body wants them, or refuses them. */
    private void rest(Scope scope, Map<String, Object> named, List<Object> positional) {
        int count = signature.names().size();
        if (signature.takesCaller() && !signature.names().contains(CALLER)) {
            Object caller = named.remove(CALLER);
            scope.set(CALLER, caller == null ? new Undefined("No caller defined") : caller);
        }
        if (signature.takesNamed()) {
            scope.set("kwargs", named);
        } else if (!named.isEmpty()) {
            String first = named.keySet().iterator().next();
            throw new TemplateError("macro '" + name + "' takes no keyword argument '" + first + "'");
        }
        if (signature.takesPositional()) {
            scope.set("varargs", Tuple.of(positional.subList(Math.min(count, positional.size()), positional.size())));
        } else if (positional.size() > count) {
            throw new TemplateError("macro '" + name + "' takes not more than " + count + " argument(s)");
        }
    }
}

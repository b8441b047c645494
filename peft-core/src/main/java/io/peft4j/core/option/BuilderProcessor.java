package io.peft4j.core.option;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.AnnotationMirror;
import javax.lang.model.element.Element;
import javax.lang.model.element.RecordComponentElement;
import javax.lang.model.element.TypeElement;
import javax.lang.model.type.DeclaredType;
import javax.lang.model.type.TypeKind;
import javax.lang.model.type.TypeMirror;
import javax.lang.model.util.ElementFilter;

/**
 * Writes what records declare at compile time: of each configuration {@code XConfig} with a {@code PeftType} and no
 * builder of its own an interface {@code XConfigBuilder} for {@code ConfigBuilder}, with a method for each component,
 * and of each record {@code X} that is marked {@link With} the interface {@code XWith}. Methods are documented as
 * components are. A module names this class as annotation processor of its compiler; it names types of core by their
 * names, because core is compiled with it, too.
 */
public final class BuilderProcessor extends AbstractProcessor {
    private static final String OWN = "Builder";
    private static final String CONFIG = "io.peft4j.core.peft.config.";
    private static final String PEFT_TYPE = CONFIG + "PeftType";
    private static final String ERROR = "io.peft4j.core.error.ConfigurationException";
    private static final Pattern OPTIONAL = Pattern.compile("java\\.util\\.Optional(Int|Long|Double|)(?:<.*)?");

    @Override
    public Set<String> getSupportedAnnotationTypes() {
        return Set.of(PEFT_TYPE, With.class.getName());
    }

    @Override
    public SourceVersion getSupportedSourceVersion() {
        return SourceVersion.latestSupported();
    }

    @Override
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
        for (TypeElement annotation : annotations) {
            boolean configs = annotation.getQualifiedName().contentEquals(PEFT_TYPE);
            for (TypeElement type : ElementFilter.typesIn(round.getElementsAnnotatedWith(annotation))) {
                if (!configs) {
                    writeCopies(type);
                    if (type.getAnnotation(With.class).setters()) {
                        writeSetters(type);
                    }
                } else if (own(type).isEmpty()) {
                    write(type);
                }
            }
        }
        return false;
    }

    private static Optional<TypeElement> own(Element type) {
        return ElementFilter.typesIn(type.getEnclosedElements()).stream()
                .filter(inner -> inner.getSimpleName().contentEquals(OWN)).findFirst();
    }

    private void write(TypeElement config) {
        String name = config.getSimpleName() + OWN;
        Map<String, String> documents = documents(config);
        String parent = CONFIG + "ConfigBuilder<" + config + ">";
        StringBuilder methods = new StringBuilder();
        for (RecordComponentElement component : config.getRecordComponents()) {
            Optional<AnnotationMirror> group = group(component);
            if (group.isPresent()) {
                parent = parent(component) + "<" + config + ", " + name + ">";
                boolean biases = group.get().getElementValues().keySet().stream()
                        .anyMatch(key -> key.getSimpleName().contentEquals("biasWord"));
                methods.append(biases ? "    /** Which biases of the base are trained; default none. */\n    " + name
                        + " bias(" + CONFIG + "Bias value);\n\n" : "");
            }
        }
        boolean grouped = !parent.startsWith(CONFIG + "ConfigBuilder");
        for (RecordComponentElement component : config.getRecordComponents()) {
            boolean inherited = component.asType().toString().equals(CONFIG + "CommonConfig");
            if (group(component).isEmpty() && !(grouped && inherited)) {
                String called = component.getSimpleName().toString();
                String document = "    /** " + documents.getOrDefault(called, "") + ". */\n    ";
                methods.append(document + name + " " + called + "(" + component.asType() + " value);\n\n");
                simpler(component.asType()).ifPresent(simple -> methods.append(
                        simple.method(document + "default " + name, called)));
            }
        }
        save(config, name, "/** Builds a {@link " + config + "}. */\npublic interface " + name + " extends " + parent
                + " {\n" + methods + "}\n");
    }

    private static Optional<AnnotationMirror> group(Element component) {
        return component.getAnnotationMirrors().stream().<AnnotationMirror>map(each -> each)
                .filter(each -> each.getAnnotationType().toString().equals(CONFIG + "Group")).findFirst();
    }

    private void writeCopies(TypeElement type) {
        String name = type.getSimpleName() + "With";
        Map<String, String> documents = documents(type);
        List<? extends RecordComponentElement> components = type.getRecordComponents();
        StringBuilder methods = new StringBuilder();
        List<String> parameters = new ArrayList<>();
        StringBuilder checks = new StringBuilder();
        for (RecordComponentElement component : components) {
            String called = component.getSimpleName().toString();
            String with = "with" + called.substring(0, 1).toUpperCase(Locale.ROOT) + called.substring(1);
            String document = "    /** The same with another value of " + called + ": "
                    + documents.getOrDefault(called, "") + ". */\n    default " + type;
            methods.append(document + " " + with + "(" + component.asType() + " value) {\n        return new " + type
                    + components.stream().map(each -> each.equals(component) ? "value"
                            : "((" + type + ") this)." + each.getSimpleName() + "()")
                            .collect(Collectors.joining(", ", "(", ");\n    }\n\n")));
            simpler(component.asType()).ifPresent(simple -> methods.append(simple.method(document, with)));
            String check = check(component);
            if (!check.isEmpty()) {
                parameters.add(component.asType() + " " + called);
                checks.append(check);
            }
        }
        save(type, name, "/** Copies of a {@link " + type + "}, and the checks of its values. */\ninterface " + name
                + " {\n" + methods + "    /** Refuses null and what is out of range. */\n    static void check("
                + String.join(", ", parameters) + ") {\n" + checks + "    }\n}\n");
    }

    private void writeSetters(TypeElement type) {
        String name = type.getSimpleName() + "Setters";
        Map<String, String> documents = documents(type);
        StringBuilder methods = new StringBuilder();
        for (RecordComponentElement component : type.getRecordComponents()) {
            String called = component.getSimpleName().toString();
            Optional<Option> option = Optional.ofNullable(component.getAnnotation(Option.class));
            String help = option.map(each -> each.help() + (each.usual().isEmpty() ? "" : " Default: " + each.usual()
                    + ".")).orElse("");
            Simple value = simpler(component.asType()).orElse(new Simple(component.asType() + " value", "value"));
            methods.append("    /** ").append(documents.containsKey(called) ? documents.get(called) + "." : help)
                    .append(" */\n    public B ").append(called).append("(").append(value.parameter())
                    .append(") {\n        return set(\"").append(called).append("\", ").append(value.argument())
                    .append(");\n    }\n\n");
        }
        save(type, name, "/** Sets the values of a {@link " + type + "}. */\nabstract class " + name + "<B> {\n"
                + "    abstract B set(String component, Object value);\n\n" + methods + "}\n");
    }

    private static String check(RecordComponentElement component) {
        String name = component.getSimpleName().toString();
        TypeMirror type = component.asType();
        String check = type.getKind().isPrimitive() ? ""
                : "        java.util.Objects.requireNonNull(" + name + ", \"" + name + "\");\n";
        Option option = component.getAnnotation(Option.class);
        Matcher optional = OPTIONAL.matcher(type.toString());
        boolean number = optional.matches() && !optional.group(1).isEmpty() || type.getKind() == TypeKind.DOUBLE
                || option != null && !option.range().equals("(,)");
        if (option == null || !number) {
            return check;
        }
        String value = optional.matches() ? name + ".get" + (optional.group(1).isEmpty() ? "" : "As")
                + optional.group(1) + "()" : name;
        Range range = Range.of(option);
        return check + "        if (" + (optional.matches() ? name + ".isPresent() && " : "") + "!("
                + range.condition(value) + ")) {\n            throw new " + ERROR + "(\""
                + (option.called().isEmpty() ? name : option.called()) + " is \" + " + value + " + \"; it must be "
                + range.words() + option.because() + "\");\n        }\n";
    }

    /** An interval; an end is empty if unbounded. */
    private record Range(boolean fromOpen, String from, String to, boolean toOpen, String zero) {
        private static final Pattern FORM = Pattern.compile("([\\[(])([^,]*),([^,]*)([])])");

        static Range of(Option option) {
            Matcher form = FORM.matcher(option.range());
            if (!form.matches()) {
                throw new IllegalArgumentException("the range " + option.range() + " is no interval such as [0,1)");
            }
            return new Range(form.group(1).equals("("), form.group(2), form.group(3), form.group(4).equals(")"),
                    option.zero());
        }

        String condition(String value) {
            return value + (fromOpen ? " > " : " >= ") + (from.isEmpty() ? "Double.NEGATIVE_INFINITY" : from) + " && "
                    + value + (toOpen ? " < " : " <= ") + (to.isEmpty() ? "Double.POSITIVE_INFINITY" : to);
        }

        /** Such as "above 0 and at most 1". */
        String words() {
            String least = from.equals("0") && !zero.isEmpty() ? "0 (" + zero + ")" : from;
            if (from.isEmpty()) {
                return to.isEmpty() ? "a number" : (toOpen ? "below " : "at most ") + to;
            } else if (to.isEmpty()) {
                return fromOpen ? "above " + from : from.equals("0") ? least + " or more" : "at least " + from;
            } else if (fromOpen) {
                return "above " + from + " and " + (toOpen ? "below " : "at most ") + to;
            }
            return "from " + least + " to " + (toOpen ? "below " : "") + to;
        }
    }

    /** What the builders of all configurations with a group of values have. */
    private String parent(RecordComponentElement component) {
        Element group = processingEnv.getTypeUtils().asElement(component.asType());
        return group.toString().equals(CONFIG + "Placement") ? CONFIG + "PlacedBuilder"
                : own(group).orElseThrow().toString();
    }

    /** A parameter that is easier to write, and the value that it stands for. */
    private record Simple(String parameter, String argument) {
        /** The method with this parameter, which calls that with the value. */
        String method(String start, String name) {
            return start + " " + name + "(" + parameter + ") {\n        return " + name + "(" + argument
                    + ");\n    }\n\n";
        }
    }

    private Optional<Simple> simpler(TypeMirror type) {
        List<? extends TypeMirror> arguments = type instanceof DeclaredType declared ? declared.getTypeArguments()
                : List.of();
        String argument = arguments.isEmpty() ? "" : arguments.get(0).toString();
        String raw = processingEnv.getTypeUtils().erasure(type).toString();
        Matcher optional = OPTIONAL.matcher(type.toString());
        if (optional.matches()) {
            String value = argument.isEmpty() ? optional.group(1).toLowerCase(Locale.ROOT) : argument;
            return Optional.of(new Simple(value + " value", raw + ".of(value)"));
        } else if (raw.equals(List.class.getName()) && argument.indexOf('<') < 0) {
            return Optional.of(argument.equals(Integer.class.getName())
                    ? new Simple("int... values", "java.util.stream.IntStream.of(values).boxed().toList()")
                    : new Simple(argument + "... values", raw + ".of(values)"));
        } else if (raw.equals(CONFIG + "TargetModules") || raw.equals(CONFIG + "TokenIndices")) {
            return Optional.of(new Simple((raw.endsWith("Modules") ? "String" : "int") + "... values",
                    raw + ".of(values)"));
        }
        return Optional.empty();
    }

    /** What the Javadoc of a record says of each component, in one line, without links that hold there alone. */
    private Map<String, String> documents(TypeElement config) {
        Map<String, String> documents = new HashMap<>();
        String all = String.valueOf(processingEnv.getElementUtils().getDocComment(config));
        for (String part : all.replaceAll("\\{@link\\s+[^}]*?(\\w+)(\\([^)]*\\))?\\s*}", "{@code $1}")
                .split("@param ")) {
            String[] nameAndText = part.strip().replaceAll("\\s+", " ").split(" ", 2);
            documents.put(nameAndText[0], nameAndText[nameAndText.length - 1]);
        }
        return documents;
    }

    private void save(TypeElement config, String name, String type) {
        String inPackage = processingEnv.getElementUtils().getPackageOf(config).toString();
        try (Writer out = processingEnv.getFiler().createSourceFile(inPackage + "." + name, config).openWriter()) {
            out.write("package " + inPackage + ";\n\n" + type);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

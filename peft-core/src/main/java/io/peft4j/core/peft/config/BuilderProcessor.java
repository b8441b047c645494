package io.peft4j.core.peft.config;

import io.peft4j.core.Internal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.Element;
import javax.lang.model.element.RecordComponentElement;
import javax.lang.model.element.TypeElement;
import javax.lang.model.type.DeclaredType;
import javax.lang.model.type.TypeMirror;
import javax.lang.model.util.ElementFilter;

/**
 * Writes the builders of configurations at compile time: of each record {@code XConfig} with a {@link PeftType} and no
 * builder of its own an interface {@code XConfigBuilder} for {@link ConfigBuilder}, with a method for each component,
 * which is documented as the component is. A module names this class as annotation processor of its compiler.
 */
@Internal
public final class BuilderProcessor extends AbstractProcessor {
    private static final String OWN = "Builder";

    @Override
    public Set<String> getSupportedAnnotationTypes() {
        return Set.of(PeftType.class.getName());
    }

    @Override
    public SourceVersion getSupportedSourceVersion() {
        return SourceVersion.latestSupported();
    }

    @Override
    public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
        for (TypeElement config : ElementFilter.typesIn(round.getElementsAnnotatedWith(PeftType.class))) {
            if (own(config).isEmpty()) {
                write(config);
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
        String parent = ConfigBuilder.class.getName() + "<" + config + ">";
        StringBuilder methods = new StringBuilder();
        for (RecordComponentElement component : config.getRecordComponents()) {
            Group group = component.getAnnotation(Group.class);
            if (group != null) {
                parent = parent(component) + "<" + config + ", " + name + ">";
                methods.append(group.biasWord().isEmpty() ? ""
                        : "    /** Which biases of the base are trained; default none. */\n    " + name
                                + " bias(io.peft4j.core.peft.config.Bias value);\n\n");
            }
        }
        boolean grouped = !parent.startsWith(ConfigBuilder.class.getName());
        for (RecordComponentElement component : config.getRecordComponents()) {
            boolean inherited = component.asType().toString().equals(CommonConfig.class.getName());
            if (component.getAnnotation(Group.class) == null && !(grouped && inherited)) {
                String document = "    /** " + documents.getOrDefault(component.getSimpleName().toString(), "")
                        + ". */\n";
                String method = name + " " + component.getSimpleName() + "(";
                methods.append(document + "    " + method + component.asType() + " value);\n\n");
                simpler(component.asType()).ifPresent(simple -> methods.append(document + "    default " + method
                        + simple.parameter() + ") {\n        return " + component.getSimpleName() + "("
                        + simple.argument() + ");\n    }\n\n"));
            }
        }
        save(config, name, "/** Builds a {@link " + config + "}. */\npublic interface " + name + " extends " + parent
                + " {\n" + methods + "}\n");
    }

    /** What the builders of all configurations with a group of values have. */
    private String parent(RecordComponentElement component) {
        Element group = processingEnv.getTypeUtils().asElement(component.asType());
        return group.toString().equals(Placement.class.getName()) ? PlacedBuilder.class.getName()
                : own(group).orElseThrow().toString();
    }

    /** A parameter that is easier to write, and the value that it stands for. */
    private record Simple(String parameter, String argument) {
    }

    private Optional<Simple> simpler(TypeMirror type) {
        String argument = type instanceof DeclaredType declared && !declared.getTypeArguments().isEmpty()
                ? declared.getTypeArguments().get(0).toString() : "";
        String raw = processingEnv.getTypeUtils().erasure(type).toString();
        if (raw.equals(OptionalInt.class.getName())) {
            return Optional.of(new Simple("int value", raw + ".of(value)"));
        } else if (raw.equals(Optional.class.getName())) {
            return Optional.of(new Simple(argument + " value", raw + ".of(value)"));
        } else if (raw.equals(List.class.getName())) {
            return Optional.of(argument.equals(Integer.class.getName())
                    ? new Simple("int... values", "java.util.stream.IntStream.of(values).boxed().toList()")
                    : new Simple(argument + "... values", raw + ".of(values)"));
        } else if (raw.equals(TargetModules.class.getName()) || raw.equals(TokenIndices.class.getName())) {
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

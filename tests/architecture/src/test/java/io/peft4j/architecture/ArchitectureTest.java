package io.peft4j.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaConstructor;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import io.peft4j.core.Internal;
import io.peft4j.core.array.Arena;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.peft.config.PeftType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The rules between the modules: methods and models never know each other, data, training and evaluation know neither,
 * core knows no other module, and what is internal to a module is for that module alone. Add a module here when you add
 * one to the build.
 */
class ArchitectureTest {

    private static final int MOST_TYPES = 349;
    /** A project's artifact, which follows its parent's, and its module's name. */
    private static final Pattern MODULE_NAME = Pattern.compile(
            "</parent>\\s*<artifactId>([^<]+).*?<java.module.name>([^<]+)",
            Pattern.DOTALL);

    /** Everything that the artifact and the command line ship. */
    private static final JavaClasses SHIPPED = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.peft4j");

    private static final Module CORE = new Module("peft-core", "io.peft4j.core")
            .uses("org.nd4j", "org.bytedeco", "com.fasterxml.jackson", "org.slf4j", "com.sun.management");
    private static final Module ONEDNN = new Module("peft-onednn", "io.peft4j.onednn")
            .knows(CORE).uses("org.nd4j", "org.bytedeco", "org.slf4j");
    private static final Module VECTOR = new Module("peft-vector", "io.peft4j.vector")
            .knows(CORE).uses("jdk.incubator.vector", "org.slf4j");
    private static final Module LORA = new Module("peft-lora", "io.peft4j.lora")
            .knows(CORE).uses("org.nd4j", "org.slf4j", "org.apache.commons.math3");
    private static final Module METHODS = new Module("peft-methods", "io.peft4j.methods")
            .knows(CORE).uses("org.nd4j", "org.slf4j");
    private static final Module JINJA = new Module("peft-jinja", "io.peft4j.jinja");
    private static final Module MODELS = new Module("peft-models", "io.peft4j.models")
            .knows(CORE, JINJA)
            .uses("org.nd4j", "org.bytedeco.javacpp", "com.fasterxml.jackson", "org.slf4j", "ai.djl",
                    "com.sun.management", "jdk.jfr");
    private static final Module REPORT = new Module("peft-report", "io.peft4j.report");
    private static final Module DATA = new Module("peft-data", "io.peft4j.data")
            .knows(CORE, REPORT).uses("com.fasterxml.jackson", "org.slf4j", "org.apache.commons.csv",
                    "com.github.luben.zstd", "org.commonmark", "org.jsoup");
    private static final Module PARQUET = new Module("peft-parquet", "io.peft4j.parquet")
            .knows(CORE, DATA).uses("org.apache.parquet", "shaded.parquet", "io.airlift.compress",
                    "com.github.luben.zstd");
    private static final Module DOCUMENTS = new Module("peft-documents", "io.peft4j.documents")
            .knows(CORE, DATA).uses("org.apache.pdfbox", "technology.tabula", "org.apache.poi",
                    "org.openxmlformats.schemas", "org.xml.sax", "org.slf4j");
    private static final Module TRAIN = new Module("peft-train", "io.peft4j.train")
            .knows(CORE, REPORT, DATA).uses("org.nd4j", "com.fasterxml.jackson", "org.slf4j", "jdk.jfr", "jdk.net");
    private static final Module TRACKERS = new Module("peft-trackers", "io.peft4j.trackers")
            .knows(CORE, TRAIN).uses("com.fasterxml.jackson", "org.slf4j", "com.google.protobuf",
                    "org.apache.commons.csv", "io.micrometer.core");
    private static final Module EVAL = new Module("peft-eval", "io.peft4j.eval")
            .knows(CORE, REPORT, DATA)
            .uses("org.nd4j", "com.fasterxml.jackson", "org.slf4j", "org.apache.commons.math3");

    private static final Module SERVE = new Module("peft-serve", "io.peft4j.serve")
            .knows(CORE, LORA, MODELS, REPORT, DATA, TRAIN, TRACKERS, EVAL)
            .uses("com.fasterxml.jackson", "org.slf4j", "io.javalin", "jakarta.servlet", "org.eclipse.jetty",
                    "kotlin", "org.apache.commons.csv", "io.micrometer", "io.prometheus", "org.sqlite",
                    "org.postgresql");
    private static final Module CLOUD = new Module("peft-cloud", "io.peft4j.cloud")
            .knows(CORE, MODELS, DATA, TRAIN)
            .uses("com.fasterxml.jackson", "org.slf4j", "software.amazon.awssdk",
                    "com.google.cloud", "com.google.api", "com.google.protobuf", "com.google.rpc");
    private static final Module LANGCHAIN4J = new Module("peft-langchain4j", "io.peft4j.langchain4j")
            .knows(CORE, MODELS, EVAL).uses("dev.langchain4j", "com.fasterxml.jackson");
    private static final Module SPRING = new Module("peft-spring-boot-starter", "io.peft4j.spring")
            .knows(CORE, LORA, MODELS, DATA, TRAIN, EVAL)
            .uses("org.springframework", "io.micrometer.core", "io.micrometer.observation", "reactor.core",
                    "reactor.util",
                    "org.slf4j");
    private static final Module QUARKUS = new Module("peft-quarkus", "io.peft4j.quarkus.runtime")
            .knows(CORE, MODELS, LANGCHAIN4J).uses("dev.langchain4j", "io.quarkus", "io.smallrye.config", "jakarta",
                    "org.eclipse.microprofile.health");
    private static final Module QUARKUS_DEPLOYMENT = new Module("peft-quarkus-deployment",
            "io.peft4j.quarkus.deployment").knows(QUARKUS).uses("io.quarkus");
    private static final Module ADVISE = new Module("peft-advise", "io.peft4j.advise")
            .knows(CORE, REPORT, DATA, TRAIN, EVAL).uses("com.fasterxml.jackson");
    private static final Module FEEDBACK = new Module("peft-feedback", "io.peft4j.feedback")
            .knows(CORE, DATA, TRAIN, EVAL).uses("com.fasterxml.jackson", "org.slf4j");
    private static final Module DL4J = new Module("peft-dl4j", "io.peft4j.dl4j")
            .knows(CORE, LORA, METHODS).uses("org.nd4j", "org.deeplearning4j");
    private static final Module SPARK = new Module("peft-spark", "io.peft4j.spark")
            .knows(CORE, MODELS, DATA, TRAIN)
            .uses("org.apache.spark", "org.apache.hadoop", "scala", "com.fasterxml.jackson", "org.slf4j");

    private static final Module CLI = new Module("peft-cli", "io.peft4j.cli")
            .knows(CORE, LORA, MODELS, DATA, TRAIN, TRACKERS, EVAL, ADVISE, SERVE, CLOUD)
            .uses("com.fasterxml.jackson", "org.slf4j", "picocli", "me.tongfei.progressbar",
                    "com.mitchtalmadge.asciidata", "jdk.jshell", "io.modelcontextprotocol");

    private static final List<Module> MODULES = List.of(CORE, ONEDNN, VECTOR, LORA, METHODS, JINJA, MODELS,
            REPORT, DATA, PARQUET, DOCUMENTS, TRAIN, TRACKERS, EVAL, ADVISE, FEEDBACK, SERVE, CLOUD, LANGCHAIN4J,
            SPRING, QUARKUS, QUARKUS_DEPLOYMENT, DL4J, SPARK, CLI);

    /** A module, the package below which all of its classes live, and what those classes may depend on. */
    private record Module(String name, String root, List<String> allowed) {

        Module(String name, String root) {
            this(name, root, List.of("java", "javax", "org.jspecify.annotations", root));
        }

        Module knows(Module... modules) {
            return and(Stream.of(modules).map(Module::root));
        }

        Module uses(String... packages) {
            return and(Stream.of(packages));
        }

        private Module and(Stream<String> more) {
            return new Module(name, root, Stream.concat(allowed.stream(), more).toList());
        }

        String subtree() {
            return root + "..";
        }

        /** Whether a file of compiled classes or a jar at this place was built from this module. */
        boolean built(String place) {
            return place.contains("/" + name + "/target/")
                    || place.contains("/" + name.replaceFirst("^peft-", "") + "/target/");
        }

        boolean owns(JavaClass type) {
            return type.getPackageName().equals(root) || type.getPackageName().startsWith(root + ".");
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** A slice for each package of a module, its root's among them; what is hidden belongs to the package around. */
    private record PackagesOf(Module module) implements SliceAssignment {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
            return module.owns(type) ? SliceIdentifier.of(visiblePackage(type.getPackageName()))
                    : SliceIdentifier.ignore();
        }

        private static String visiblePackage(String packageName) {
            return packageName.replaceFirst("\\.support$", "");
        }

        @Override
        public String getDescription() {
            return "packages of " + module;
        }
    }

    static List<Module> modules() {
        return MODULES;
    }

    @ParameterizedTest
    @MethodSource("modules")
    void aModuleKnowsOnlyTheModulesBelowIt(Module module) {
        String[] allowed = module.allowed().stream().map(root -> root + "..").toArray(String[]::new);
        check(classes().that().resideInAPackage(module.subtree())
                .should().onlyDependOnClassesThat().resideInAnyPackage(allowed));
    }

    @Test
    void everyModuleLivesBelowItsOwnPackage() {
        List<String> strays = new ArrayList<>();
        for (JavaClass type : SHIPPED) {
            String place = type.getSource().orElseThrow().getUri().toString();
            for (Module module : MODULES) {
                if (module.built(place) != module.owns(type)) {
                    strays.add(type.getName() + " in " + place);
                }
            }
        }
        assertTrue(strays.isEmpty(), () -> "classes outside their module's package: " + strays);
    }

    /** Its root package is also its name on the module path, so that no two jars have a package in common. */
    @Test
    void everyModuleIsNamedAfterItsPackage() throws IOException {
        Map<String, String> names = new TreeMap<>();
        try (Stream<Path> files = Files.find(Path.of("../.."), 3, (file, about) -> file.endsWith("pom.xml"))) {
            for (Path file : files.toList()) {
                Matcher name = MODULE_NAME.matcher(Files.readString(file));
                if (name.find()) {
                    names.put(name.group(1), name.group(2));
                }
            }
        }
        Map<String, String> expected = new TreeMap<>(Map.of("peft4j", "io.peft4j", "peft-parent",
                "io.peft4j.unpublished"));
        MODULES.forEach(module -> expected.put(module.name(), module.root()));
        assertEquals(expected, names);
    }

    /** The one class of the root package, which no package below knows. */
    @Test
    void theFrontDoorOnlyLeadsToTheModules() {
        check(classes().that().resideInAPackage("io.peft4j").and().doNotHaveSimpleName("package-info")
                .should().haveFullyQualifiedName("io.peft4j.Peft4j"));
        check(noClasses().that().resideOutsideOfPackage("io.peft4j")
                .and().resideOutsideOfPackage("io.peft4j.examples..")
                .should().dependOnClassesThat().resideInAPackage("io.peft4j"));
    }

    @ParameterizedTest
    @MethodSource("modules")
    void packagesOfAModuleHaveNoCycles(Module module) {
        check(slices().assignedFrom(new PackagesOf(module)).should().beFreeOfCycles());
    }

    @Test
    void nobodyElseUsesWhatIsInternalToAModule() {
        List<String> uses = new ArrayList<>();
        for (JavaClass type : SHIPPED) {
            for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                JavaClass used = dependency.getTargetClass();
                if (mark(used).filter(mark -> !mark.shared()).isPresent()
                        && MODULES.stream().noneMatch(module -> module.owns(used) && module.owns(type))) {
                    uses.add(dependency.getDescription());
                }
            }
        }
        assertTrue(uses.isEmpty(), () -> "what is internal to a module may change in any version: " + uses);
    }

    @Test
    void nothingThatUsersSeeNamesAHiddenType() {
        List<String> leaks = new ArrayList<>();
        for (JavaClass type : SHIPPED) {
            if (isPublic(type) && !isHidden(type)) {
                type.getAllRawSuperclasses().stream().filter(ArchitectureTest::isHidden)
                        .forEach(parent -> leaks.add(type.getName() + " extends " + parent.getName()));
                type.getMembers().stream().filter(ArchitectureTest::isSeen)
                        .filter(member -> namedIn(member).anyMatch(ArchitectureTest::isHidden))
                        .forEach(member -> leaks.add(member.getFullName()));
            }
        }
        assertTrue(leaks.isEmpty(), () -> "hidden types in the public API: " + leaks);
    }

    /**
     * What a user can see is what a user has to learn: a new type takes the place of another, or is internal. Types
     * with dollars were generated by Quarkus.
     */
    @Test
    void typesForApplicationsAreNoMoreThanTheyWere() {
        List<String> types = SHIPPED.stream().filter(type -> MODULES.stream().anyMatch(module -> module.owns(type)))
                .filter(type -> type.getEnclosingClass().isEmpty() && isPublic(type) && !isHidden(type))
                .map(JavaClass::getName).filter(name -> !name.contains("$") && !isBuilderOfAMethod(name)).sorted()
                .toList();
        assertTrue(types.size() <= MOST_TYPES, () -> types.size() + " types that applications may use; mark those that "
                + "they need not with @Internal: " + types);
    }

    /** The compiler makes these of the interface within a configuration. */
    private static boolean isBuilderOfAMethod(String name) {
        String config = name.replaceFirst("Builder$", "");
        return !config.equals(name) && SHIPPED.contain(config) && SHIPPED.get(config).isAnnotatedWith(PeftType.class);
    }

    private static boolean isPublic(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC)
                && type.getEnclosingClass().map(ArchitectureTest::isPublic).orElse(true);
    }

    /** Whether applications must not use the type; modules that do not know the mark have a package for such types. */
    private static boolean isHidden(JavaClass type) {
        return mark(type).isPresent() || type.getPackageName().matches("io\\.peft4j\\..*\\.support");
    }

    private static Optional<Internal> mark(JavaClass type) {
        JavaClass top = type;
        while (top.getEnclosingClass().isPresent()) {
            top = top.getEnclosingClass().get();
        }
        return top.tryGetAnnotationOfType(Internal.class)
                .or(() -> SHIPPED.contain(type.getName())
                        ? type.getPackage().tryGetAnnotationOfType(Internal.class)
                        : Optional.empty());
    }

    /** Whether applications may use the member. Of a record's constructor each component is checked. */
    private static boolean isSeen(JavaMember member) {
        JavaClass owner = member.getOwner();
        boolean canonical = owner.isAssignableTo(Record.class) && member instanceof JavaConstructor constructor
                && constructor.getParameterTypes().size() == owner.getFields().stream()
                        .filter(field -> !field.getModifiers().contains(JavaModifier.STATIC)).count();
        return !member.isAnnotatedWith(Internal.class) && !canonical
                && (member.getModifiers().contains(JavaModifier.PUBLIC)
                        || member.getModifiers().contains(JavaModifier.PROTECTED));
    }

    private static Stream<JavaClass> namedIn(JavaMember member) {
        return member instanceof JavaCodeUnit method
                ? Stream.concat(Stream.of(method.getReturnType()), method.getParameterTypes().stream())
                        .flatMap(type -> type.getAllInvolvedRawTypes().stream())
                : ((JavaField) member).getType().getAllInvolvedRawTypes().stream();
    }

    @Test
    void everyPackageSaysThatNothingIsNullUnlessMarked() {
        Set<JavaPackage> unmarked = SHIPPED.stream().map(JavaClass::getPackage)
                .filter(found -> !found.isAnnotatedWith(NullMarked.class))
                .collect(Collectors.toCollection(() -> new TreeSet<>(Comparator.comparing(JavaPackage::getName))));
        assertTrue(unmarked.isEmpty(), () -> "packages without @NullMarked in package-info.java: " + unmarked);
    }

    @Test
    void noEnumListsTheMethods() {
        check(noClasses().that().areEnums().should().haveSimpleNameContaining("Method")
                .because("a method is a config record, a layer class and one registration line, never a list entry"));
    }

    /** Whoever computes does so in a workspace of the engine, which says whose turn it is. */
    @Test
    void onlyTheEngineMakesTheMemoryOfTemporaries() {
        check(noClasses().that().resideOutsideOfPackage("io.peft4j.core.engine")
                .should().callConstructor(Arena.class));
    }

    @Test
    void everyErrorTypeIsAPeftException() {
        check(classes().that().areAssignableTo(RuntimeException.class)
                .and().resideOutsideOfPackage(JINJA.subtree()) // knows no other module; peft-models translates
                .should().beAssignableTo(PeftException.class)
                .because("an application catches one type"));
    }

    /** Importing nothing would make every other test here pass. */
    @Test
    void classesAreScanned() {
        assertFalse(SHIPPED.isEmpty());
        assertTrue(SHIPPED.contain(PeftException.class));
    }

    private static void check(ArchRule rule) {
        // A rule over a module that has no classes of the kind it speaks about holds.
        rule.allowEmptyShould(true).check(SHIPPED);
    }
}

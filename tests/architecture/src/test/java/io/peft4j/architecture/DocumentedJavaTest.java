package io.peft4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.Internal;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every block of Java in the README and the docs compiles as it is there. Classes of this project and of the JDK's
 * usual packages are imported for it. What else a block needs is before it in a comment that readers do not see:
 * {@code <!-- given import org.example.Thing; Thing thing -->}. A block that needs libraries which are not here names
 * the file that it is taken from, {@code <!-- excerpt of FILE -->}: each of its lines must stand there.
 */
class DocumentedJavaTest {
    private static final Path ROOT = Path.of("../..");
    private static final Pattern BLOCK = Pattern.compile(
            "(?:^<!-- (given|excerpt of) ([^>]*?) -->\\n)?^```java\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern INLINE = Pattern.compile("`[^`\\n]+`");
    private static final Pattern NAME = Pattern.compile("\\b[A-Z]\\w*");
    private static final List<String> USUAL = List.of("java.net.*", "java.nio.file.*", "java.time.*", "java.util.*",
            "java.util.concurrent.*", "static io.peft4j.core.peft.config.TargetModules.ALL_LINEAR");

    /** The full names of each simple one, of this project's public packages. */
    private final Map<String, Set<String>> known = new TreeMap<>();

    @TempDir
    Path classes;

    /** A block of a page. */
    private record Block(Path page, int line, String kind, String words, String code) {
        @Override
        public String toString() {
            return page.getFileName() + ", line " + line;
        }
    }

    private static List<Block> blocks(Path page) throws IOException {
        String text = Files.readString(page);
        List<Block> found = new ArrayList<>();
        Matcher blocks = BLOCK.matcher(text);
        while (blocks.find()) {
            int line = (int) text.substring(0, blocks.start(3)).lines().count() + 1;
            found.add(new Block(page, line, blocks.group(1) == null ? "" : blocks.group(1),
                    blocks.group(2) == null ? "" : blocks.group(2), blocks.group(3)));
        }
        assertEquals(text.split("(?m)^```java$", -1).length - 1, found.size(), "blocks of " + page);
        return found;
    }

    /** The README, and what is written for users; the page for developers of this project is not. */
    private static List<Path> pages() throws IOException {
        try (Stream<Path> pages = Files.list(ROOT.resolve("docs"))) {
            return Stream.concat(Stream.of(ROOT.resolve("README.md")), pages.filter(path -> path.toString()
                    .endsWith(".md") && !path.endsWith("development.md")).sorted()).toList();
        }
    }

    private static List<Block> blocks() throws IOException {
        List<Block> blocks = new ArrayList<>();
        for (Path page : pages()) {
            blocks.addAll(blocks(page));
        }
        assertTrue(blocks.size() > 10, "blocks of Java: " + blocks);
        return blocks;
    }

    /** The packages of all classes that a page names in code, as far as the command line has their modules. */
    @Test
    void jshellImportsWhatThePagesName() throws IOException {
        scan();
        String modules = Files.readString(ROOT.resolve("apps/cli/pom.xml")) + Files.readString(ROOT.resolve(
                "peft-all/pom.xml"));
        List<String> startup = Files
                .readAllLines(ROOT.resolve("apps/cli/src/main/resources/io/peft4j/cli/startup.jsh"));
        assertEquals(Set.copyOf(startup).size(), startup.size(), "a line is there twice: " + startup);
        Set<String> missing = new TreeSet<>();
        int seen = 0;
        for (Path page : pages()) {
            String code = INLINE.matcher(Files.readString(page)).results().map(MatchResult::group)
                    .collect(Collectors.joining(" "))
                    + blocks(page).stream()
                            .filter(block -> !block.kind().equals("excerpt of"))
                            .map(block -> block.words() + block.code()).collect(Collectors.joining(" "));
            Matcher names = NAME.matcher(code);
            while (names.find()) {
                Set<String> classes = known.getOrDefault(names.group(), Set.of());
                String full = classes.size() == 1 ? classes.iterator().next() : "";
                String[] parts = full.split("\\.");
                if (parts.length > 3 && modules.contains("<artifactId>peft-" + parts[2] + "</artifactId>")) {
                    seen++;
                    String owner = full.substring(0, full.lastIndexOf('.'));
                    if (!startup.contains("import " + owner + ".*;")) {
                        missing.add(page.getFileName() + ": " + full);
                    }
                }
            }
        }
        assertEquals(Set.of(), missing);
        assertTrue(seen > 50, "classes named: " + seen);
    }

    @TestFactory
    List<DynamicTest> everyBlockOfJavaCompiles() throws IOException {
        List<Block> blocks = blocks();
        scan();
        return blocks.stream().map(block -> DynamicTest.dynamicTest(block.toString(), () -> check(block))).toList();
    }

    private void check(Block block) throws IOException {
        if (block.kind().equals("excerpt of")) {
            Set<String> lines = Files.readAllLines(ROOT.resolve(block.words())).stream().map(String::strip)
                    .collect(Collectors.toSet());
            block.code().lines().map(String::strip)
                    .forEach(line -> assertTrue(lines.contains(line), block.words() + " lacks " + line));
            return;
        }
        String source = source(block);
        Matcher named = Pattern.compile("public class (\\w+)").matcher(source);
        String name = named.find() ? named.group(1) : "Documented";
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
        boolean compiled = compiler.getTask(null, null, found, List.of("-proc:none", "-d", classes.toString(), "-cp",
                classPath()), null, List.of(new Source(name, source))).call();
        String errors = found.getDiagnostics().stream().filter(d -> d.getKind() == Diagnostic.Kind.ERROR)
                .map(Object::toString).collect(Collectors.joining("\n"));
        assertTrue(compiled, block + ":\n" + errors);
    }

    /** The block as a class, if it is not one. */
    private String source(Block block) {
        if (block.code().contains("public class")) {
            return block.code();
        }
        Set<String> imports = new LinkedHashSet<>(USUAL);
        List<String> fields = new ArrayList<>();
        for (String part : Arrays.stream(block.words().split(";")).map(String::strip).toList()) {
            if (part.startsWith("import ")) {
                imports.add(part.substring("import ".length()));
            } else if (!part.isEmpty()) {
                fields.add(part + ";\n");
            }
        }
        Matcher names = NAME.matcher(String.join(" ", fields) + block.code());
        while (names.find()) {
            Set<String> classes = known.getOrDefault(names.group(), Set.of());
            if (classes.size() == 1 && imports.stream().noneMatch(given -> given.endsWith("." + names.group()))) {
                imports.addAll(classes);
            }
        }
        String body = block.code().startsWith("@") ? block.code() : "void shown() throws Exception {\n" + block.code()
                + "}\n";
        return imports.stream().map(given -> "import " + given + ";\n").collect(Collectors.joining())
                + "class Documented {\n" + String.join("", fields) + body + "}\n";
    }

    private static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    private void scan() throws IOException {
        for (String entry : classPath().split(System.getProperty("path.separator"))) {
            Path path = Path.of(entry);
            if (Files.isDirectory(path)) {
                addClasses(path);
            } else if (path.getFileName().toString().startsWith("peft") && Files.exists(path)) {
                try (FileSystem jar = FileSystems.newFileSystem(URI.create("jar:" + path.toUri()), Map.of())) {
                    addClasses(jar.getPath("/"));
                }
            }
        }
    }

    private void addClasses(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".class")).toList()) {
                String name = root.relativize(file).toString().replace('/', '.').replaceAll("\\.class$", "");
                String simple = name.substring(name.lastIndexOf('.') + 1);
                if (name.startsWith("io.peft4j.") && !simple.contains("$")
                        && Stream.of(".support.", ".cli.").noneMatch(name::contains) && isForApplications(name)) {
                    known.computeIfAbsent(simple, key -> new TreeSet<>()).add(name);
                }
            }
        }
    }

    private static boolean isForApplications(String name) {
        try {
            Class<?> type = Class.forName(name, false, DocumentedJavaTest.class.getClassLoader());
            return Modifier.isPublic(type.getModifiers()) && !type.isAnnotationPresent(Internal.class)
                    && !type.getPackage().isAnnotationPresent(Internal.class);
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        private Source(String name, String text) {
            super(URI.create("string:///" + name + ".java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}

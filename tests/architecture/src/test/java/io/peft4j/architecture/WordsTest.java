package io.peft4j.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Texts use plain words: no roundabout phrases in comments, help and documents, and short titles of tests. */
class WordsTest {
    private static final Path ROOT = Path.of("../..");
    private static final Set<String> LEFT_OUT = Set.of("target", ".git", "shared");
    private static final int LONGEST_TITLE = 60;
    private static final Pattern PHRASES = Pattern.compile("\\b([Ss]tands(?! for\\b)|[Ww]here there is|[Gg]oes on|"
            + "[Aa]ll that|[Nn]obody|[Ss]omebody|[Aa]new|[Ii]s told|[Bb]y itself)\\b");
    private static final Pattern COMMENT = Pattern.compile("/\\*.*?\\*/|(?<![:\"])//[^\\n]*(?:\\n\\s*//[^\\n]*)*",
            Pattern.DOTALL);
    /** What divides the words of a comment or of a string that are on several lines. */
    private static final Pattern DIVISION = Pattern.compile("\"\\s*\\+\\s*\"|(?<=\\s)(\\*|//)(?=\\s)|\\s+");
    private static final Pattern TEST = Pattern.compile("@(?:Test|ParameterizedTest|TestFactory|TestTemplate|Property)"
            + "\\b[^{;]*?(?:\\{[^}]*\\}[^{;]*?)*?\\s(\\w+)\\([^;{]*\\{");
    private static final Pattern CLASS = Pattern.compile("(?<=[`>])[A-Z][a-z]\\w*(?=[`<])");

    @Test
    void commentsHelpAndDocumentsHaveNoRoundaboutPhrase() {
        List<String> found = new ArrayList<>();
        for (Path file : files()) {
            String name = file.getFileName().toString();
            // Its list of negations has one of the words.
            boolean source = file.toString().contains("src/main/java") && !name.equals("StopWords.java");
            String text = name.endsWith(".md") || name.endsWith(".java") && source ? read(file)
                    : name.endsWith(".java") ? comments(read(file)) : "";
            String words = DIVISION.matcher(text).replaceAll(division -> division.group().contains("+") ? "" : " ")
                    .replaceAll(" +", " ");
            PHRASES.matcher(words).results().map(phrase -> ROOT.relativize(file) + ": ..." + around(words, phrase))
                    .forEach(found::add);
        }
        assertEquals(List.of(), found);
    }

    @Test
    void titlesOfTestsAreShort() {
        List<String> titles = files().stream().filter(file -> file.toString().endsWith(".java"))
                .filter(file -> file.toString().contains("src/test/java"))
                .flatMap(file -> TEST.matcher(COMMENT.matcher(read(file)).replaceAll("")).results()
                        .map(test -> test.group(1)))
                .toList();
        assertTrue(titles.size() > 2000, "tests found: " + titles.size());
        assertEquals(List.of(), titles.stream().filter(title -> title.length() > LONGEST_TITLE).toList());
    }

    @Test
    void theMapAndTheSecurityPageNameClassesThatExist() {
        Set<String> classes = files().stream().map(file -> file.getFileName().toString())
                .filter(name -> name.endsWith(".java")).map(name -> name.replace(".java", ""))
                .collect(Collectors.toSet());
        String page = read(ROOT.resolve("docs/development.md"));
        String map = page.substring(0, page.indexOf("\n## ")) + read(ROOT.resolve("docs/images/development.svg"))
                .lines().filter(line -> line.contains("class=\"c\"")).collect(Collectors.joining());
        List<String> named = CLASS.matcher(map).results().map(MatchResult::group).toList();
        assertTrue(named.size() > 30, "classes found: " + named);
        List<String> tests = CLASS.matcher(read(ROOT.resolve("SECURITY.md"))).results().map(MatchResult::group)
                .toList();
        assertTrue(tests.size() > 15, "tests found: " + tests);
        assertEquals(List.of(),
                Stream.concat(named.stream(), tests.stream()).filter(name -> !classes.contains(name)).toList());
    }

    private static String around(String text, MatchResult phrase) {
        return text.substring(Math.max(0, phrase.start() - 40), Math.min(text.length(), phrase.end() + 20));
    }

    private static String comments(String source) {
        return COMMENT.matcher(source).results().map(MatchResult::group).collect(Collectors.joining("\n"));
    }

    private static List<Path> files() {
        List<Path> files = new ArrayList<>();
        try {
            Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                    return LEFT_OUT.contains(folder.getFileName().toString()) ? FileVisitResult.SKIP_SUBTREE
                            : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (Stream.of(".java", ".md").anyMatch(file.toString()::endsWith)) {
                        files.add(file);
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return files;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

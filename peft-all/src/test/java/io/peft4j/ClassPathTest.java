package io.peft4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.KernelSelection;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What an application gets with the one dependency, and what it does not. */
class ClassPathTest {
    private static final List<Pattern> PLATFORMS = List.of(Pattern.compile("linux-(x86_64|arm64|ppc64le)"),
            Pattern.compile("macosx-(x86_64|arm64)"), Pattern.compile("windows-x86(_64)?"),
            Pattern.compile("android-\\w+"));

    private static List<String> jars() {
        return Arrays.stream(System.getProperty("java.class.path").split(System.getProperty("path.separator")))
                .map(path -> path.replaceFirst(".*[/\\\\]", "")).filter(name -> name.endsWith(".jar")).toList();
    }

    @Test
    void oldCopiesOfLibrariesInsideOfNd4jDoNotComeAlong() {
        for (String name : List.of("org.nd4j.shade.jackson.databind.ObjectMapper",
                "org.nd4j.shade.yaml.snakeyaml.Yaml", "org.nd4j.shade.wstx.stax.WstxInputFactory")) {
            assertThrows(ClassNotFoundException.class, () -> Class.forName(name), name);
        }
        assertTrue(KernelSelection.report().chosen().equals("onednn"), "and kernels do without: "
                + KernelSelection.report());
    }

    @Test
    void nativesAreThoseOfOnePlatform() {
        List<String> found = jars().stream().flatMap(name -> PLATFORMS.stream().map(p -> p.matcher(name))
                .filter(matcher -> matcher.find()).map(matcher -> matcher.group())).distinct().toList();
        assertEquals(1, found.size(), found.toString());
    }
}

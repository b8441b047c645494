package io.peft4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

    /** Of ND4J's old copy of Guava, which its arrays need, the parts with known faults are not reached. */
    @Test
    void trainingLoadsNoLibraryInsideOfNd4jThatIsKnownToBeFaulty(@TempDir Path folder)
            throws IOException, InterruptedException {
        Path log = folder.resolve("classes.txt");
        Process training = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xlog:class+load:file=" + log, "-XX:TieredStopAtLevel=1", "-Dai.djl.offline=true", "-cp",
                System.getProperty("java.class.path"), Training.class.getName(), folder.resolve("adapter").toString())
                .inheritIO().start();
        assertEquals(0, training.waitFor());
        List<String> shaded;
        try (Stream<String> lines = Files.lines(log)) {
            shaded = lines.map(line -> line.replaceFirst("^(\\[[^]]*])+ ", "").replaceFirst(" .*", ""))
                    .filter(name -> name.startsWith("org.nd4j.shade.")).toList();
        }
        assertEquals(List.of("org.nd4j.shade.guava.util.concurrent.AtomicDouble"), shaded);
        try (Stream<String> lines = Files.lines(log)) {
            assertTrue(lines.anyMatch(line -> line.contains("org.nd4j.linalg.api.ndarray.BaseNDArray")));
        }
    }

    /** What applications do: loading, training, saving, answering. */
    static final class Training {
        public static void main(String[] args) {
            try (BaseModel base = BaseModel.load("../tests/fixtures/tiny-llama");
                    PeftModel model = base.withAdapter(LoraConfig.builder().rank(4).build())) {
                Trainer.builder(model).epochs(1).build().train(ChatDataset.of(List.of(
                        ChatExample.of(ChatMessage.user("Who?"), ChatMessage.assistant("Nobody.")))));
                model.saveAdapter(Path.of(args[0]));
                model.generate("Who?");
            }
        }
    }

    @Test
    void nativesAreThoseOfOnePlatform() {
        List<String> found = jars().stream().flatMap(name -> PLATFORMS.stream().map(p -> p.matcher(name))
                .filter(matcher -> matcher.find()).map(matcher -> matcher.group())).distinct().toList();
        assertEquals(1, found.size(), found.toString());
    }
}

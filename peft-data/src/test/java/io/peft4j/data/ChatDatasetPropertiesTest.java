package io.peft4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.TestChatTemplate;
import io.peft4j.core.text.WordTokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What holds for data of any kind: thousands of random cases from fixed seeds. */
class ChatDatasetPropertiesTest {
    @TempDir
    private Path folder;

    @Test
    void aSplitIsAPartitionThatDependsOnTheSeedAlone() {
        SplittableRandom random = new SplittableRandom(1);
        for (int round = 0; round < 500; round++) {
            ChatDataset dataset = numbered(2 + random.nextInt(200));
            SplitOptions options = new SplitOptions(0.02 + 0.96 * random.nextDouble(), random.nextLong());
            int expected = (int) Math.round(dataset.size() * options.test());
            if (expected == 0 || expected == dataset.size()) {
                assertThrows(ConfigurationException.class, () -> dataset.split(options));
                continue;
            }
            Split split = dataset.split(options);
            assertEquals(expected, split.test().size());
            assertEquals(dataset.size() - expected, split.train().size());
            Set<ChatExample> all = new HashSet<>(split.train().examples());
            assertTrue(split.test().stream().noneMatch(all::contains));
            all.addAll(split.test().examples());
            assertEquals(new HashSet<>(dataset.examples()), all);
            for (ChatDataset part : List.of(split.train(), split.test())) {
                List<Long> lines = part.stream().map(example -> example.origin().line()).toList();
                assertEquals(lines.stream().sorted().toList(), lines);
            }
            assertEquals(split.test().examples(), dataset.split(options).test().examples());
        }
        ChatDataset dataset = numbered(100);
        assertNotEquals(dataset.split(new SplitOptions(0.5, 1)).test().examples(),
                dataset.split(new SplitOptions(0.5, 2)).test().examples());
    }

    @Test
    void everyExampleIsHeldOutEquallyOften() {
        ChatDataset dataset = numbered(20);
        int[] heldOut = new int[20];
        int rounds = 4000;
        for (int seed = 0; seed < rounds; seed++) {
            dataset.split(new SplitOptions(0.25, seed)).test().forEach(e -> heldOut[(int) e.origin().line() - 1]++);
        }
        // Binomial with p = 1/4: 1000 expected, standard deviation 27; five of them would come by chance once in a
        // million.
        Arrays.stream(heldOut).forEach(count -> assertEquals(1000, count, 140));
    }

    @Test
    void ratiosMustSumToOneAndLeaveNoPartEmpty() {
        assertEquals(new SplitOptions(0.1, 7), SplitOptions.ratios(0.9, 0.1).seed(7));
        assertThrows(ConfigurationException.class, () -> SplitOptions.ratios(0.9, 0.2));
        assertThrows(ConfigurationException.class, () -> SplitOptions.ratios(1, 0));
        assertThrows(ConfigurationException.class, () -> new SplitOptions(Double.NaN, 0));
        assertThrows(ConfigurationException.class, () -> numbered(3).split(new SplitOptions(0.1, 0)));
    }

    @Test
    void damagedFilesEndInADataExceptionOrAreReadAndEncoded() throws IOException {
        byte[] good = String.join("\n", List.of(
                "{\"messages\": [{\"role\": \"system\", \"content\": \"s\"}, "
                + "{\"role\": \"user\", \"content\": \"q \u00e9\"}, "
                + "{\"role\": \"assistant\", \"content\": \"a \uD83D\uDE00 \\\\ \\u00fc\", \"weight\": 1}]}",
                "{\"messages\": [{\"role\": \"assistant\", \"content\": [{\"type\": \"text\", \"text\": \"x\"}]}], "
                + "\"tools\": [{\"a\": null}], \"n\": -1.5e3}")).getBytes(StandardCharsets.UTF_8);
        SplittableRandom random = new SplittableRandom(2);
        ChatEncoder encoder = new ChatEncoder(new WordTokenizer(100_000), TestChatTemplate.chatMl());
        Path file = folder.resolve("damaged.jsonl");
        int refused = 0;
        int rounds = 4000;
        for (int round = 0; round < rounds; round++) {
            Files.write(file, damaged(good, random));
            try {
                ChatDataset.read(file).forEach(encoder::encode);
            } catch (DataException e) {
                refused++;
                assertEquals(file, e.file());
                assertTrue(e.line() >= 0 && e.line() <= 20, e.getMessage());
            }
        }
        // Most damage breaks a row; some only changes a letter.
        assertTrue(refused > rounds / 2 && refused < rounds, refused + " refused");
    }

    /** Some bytes changed, removed, doubled, or replaced by what JSON gives a meaning. */
    private static byte[] damaged(byte[] good, SplittableRandom random) {
        byte[] bytes = good;
        byte[] meaningful = "{}[]\",:\\\n\r0-.eEtfnu \uFEFF".getBytes(StandardCharsets.UTF_8);
        for (int times = 1 + random.nextInt(4); times > 0; times--) {
            int at = random.nextInt(bytes.length);
            int length = Math.min(bytes.length - at, 1 + random.nextInt(8));
            switch (random.nextInt(4)) {
                case 0 -> {
                    bytes = bytes.clone();
                    bytes[at] = (byte) random.nextInt(256);
                }
                case 1 -> {
                    bytes = bytes.clone();
                    bytes[at] = meaningful[random.nextInt(meaningful.length)];
                }
                case 2 -> bytes = join(Arrays.copyOf(bytes, at), Arrays.copyOfRange(bytes, at + length, bytes.length));
                default -> bytes = join(Arrays.copyOf(bytes, at + length), Arrays.copyOfRange(bytes, at, bytes.length));
            }
            if (bytes.length == 0) {
                return bytes;
            }
        }
        return bytes;
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] joined = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, joined, first.length, second.length);
        return joined;
    }

    private static ChatDataset numbered(int size) {
        return ChatDataset.of(IntStream.range(0, size).boxed().flatMap(i -> Stream.of(
                ChatExample.of(ChatMessage.user("q" + i), ChatMessage.assistant("a" + i)))).toList());
    }
}

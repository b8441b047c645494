package io.peft4j.data.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.core.text.TestChatTemplate;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatEncoder;
import io.peft4j.data.report.DataCheck;
import io.peft4j.data.report.DataReport;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tag;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/** A damaged file ends in rows and faults with their lines, or in an exception that names it; no row is lost. */
class DamageProperties {
    private static final List<String> ENDINGS = List.of(".jsonl", ".json", ".csv", ".tsv", ".md", ".html",
            ".jsonl.gz", ".jsonl.zst");
    private static final byte[] MEANINGFUL = "{}[]\",:\\\n\r0-.eEtfnu <>#&;\t\uFEFF".getBytes(StandardCharsets.UTF_8);

    private Path folder;

    /** What is done to a file: at a place as a share of its length, so that it fits any file. */
    private record Damage(int kind, double place, int value, int length) {
        byte[] to(byte[] good) {
            if (good.length == 0) {
                return good;
            }
            int at = (int) (place * good.length);
            int end = Math.min(good.length, at + length);
            byte[] bytes = good.clone();
            switch (kind) {
                case 0 -> bytes[at] = (byte) value;
                case 1 -> bytes[at] = MEANINGFUL[(value & 0xFF) % MEANINGFUL.length];
                case 2 -> bytes = join(Arrays.copyOf(good, at), Arrays.copyOfRange(good, end, good.length));
                case 3 -> bytes = join(Arrays.copyOf(good, end), Arrays.copyOfRange(good, at, good.length));
                default -> bytes = Arrays.copyOf(good, at);
            }
            return bytes;
        }

        private static byte[] join(byte[] first, byte[] second) {
            byte[] joined = Arrays.copyOf(first, first.length + second.length);
            System.arraycopy(second, 0, joined, first.length, second.length);
            return joined;
        }
    }

    private record Damaged(String ending, byte[] bytes) {
        @Override
        public String toString() {
            return ending + " " + new String(bytes, StandardCharsets.ISO_8859_1);
        }
    }

    @BeforeProperty
    void makeFolder() throws IOException {
        folder = Files.createTempDirectory("damage");
    }

    @AfterProperty
    void removeFolder() throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    @Provide
    Arbitrary<Damaged> damaged() {
        Arbitrary<Damage> damage = Combinators.combine(Arbitraries.integers().between(0, 4),
                Arbitraries.doubles().between(0, true, 1, false), Arbitraries.integers().between(0, 255),
                Arbitraries.integers().between(1, 8)).as(Damage::new);
        Arbitrary<Damaged> written = Combinators.combine(Arbitraries.of(ENDINGS), ArbitraryExamples.formats()
                .flatMap(format -> ArbitraryExamples.of(format).list().ofMinSize(1).ofMaxSize(4)
                        .map(examples -> rows(format, examples))),
                damage.list().ofMinSize(1).ofMaxSize(4))
                .as((ending, good, faults) -> {
                    byte[] bytes = file(ending, good);
                    for (Damage fault : faults) {
                        bytes = fault.to(bytes);
                    }
                    return new Damaged(ending, bytes);
                });
        Arbitrary<Damaged> noise = Combinators.combine(Arbitraries.of(ENDINGS),
                Arbitraries.bytes().list().ofMaxSize(60)).as((ending, list) -> {
                    byte[] bytes = new byte[list.size()];
                    for (int i = 0; i < bytes.length; i++) {
                        bytes[i] = list.get(i);
                    }
                    return new Damaged(ending, bytes);
                });
        return Arbitraries.frequencyOf(net.jqwik.api.Tuple.of(9, written), net.jqwik.api.Tuple.of(1, noise));
    }

    private static List<String> rows(DataFormat format, List<io.peft4j.data.example.Example> examples) {
        return examples.stream().map(example -> JsonText.write(format.write(example).orElseThrow())).toList();
    }

    /** The file that an ending promises; the handbooks hold the rows as text. */
    private static byte[] file(String ending, List<String> rows) {
        String text = switch (ending) {
            case ".json" -> "[" + String.join(",\n", rows) + "]";
            case ".csv" -> "question,answer\n\"Wo?\nGenau?\",Hier\nWer?,\"Ann, \"\"die Chefin\"\"\"\n";
            case ".tsv" -> "question\tanswer\nWo?\tHier\n";
            case ".md" -> "# A\n\n## B\n\n" + String.join("\n\n- ", rows) + "\n";
            case ".html" -> "<h1>A</h1><p>" + String.join("</p><h2>B</h2><p>", rows) + "</p>";
            default -> String.join("\n", rows) + "\n";
        };
        byte[] plain = text.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (var compressing = DataFiles.compressing(Path.of("set" + ending), out)) {
            compressing.write(plain);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    @Property(tries = 1500, seed = "102")
    @Tag("full")
    void everyRowIsAnExampleOrAFaultWithItsLine(@ForAll("damaged") Damaged damaged) throws IOException {
        Path file = Files.write(folder.resolve("set" + damaged.ending()), damaged.bytes());
        List<Long> lines = new ArrayList<>();
        try (ExampleReader reader = ExampleReader.open(file)) {
            for (Optional<ExampleReader.Item> item = reader.next(); item.isPresent(); item = reader.next()) {
                boolean fatal = item.get().row().faults().stream().anyMatch(RowFault::fatal);
                assertEquals(fatal, item.get().example().isEmpty(), "a row is an example or has a fault");
                lines.add(item.get().row().line());
                // Far fewer than there are bytes, and each with its place: nothing runs on without end.
                assertTrue(lines.size() <= damaged.bytes().length + 1, "rows without end");
                assertTrue(item.get().row().line() >= 1 && item.get().row().line() <= damaged.bytes().length + 1L);
            }
        } catch (DataException e) {
            assertEquals(file, e.file());
            return;
        } catch (java.io.UncheckedIOException e) {
            assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
            assertTrue(damaged.ending().endsWith("z") || damaged.ending().endsWith("zst"), e.getMessage());
            return;
        }
        if (damaged.ending().equals(".jsonl") && !looksCompressed(damaged.bytes())) {
            assertEquals(linesWithText(damaged.bytes()), lines);
        }
    }

    @Property(tries = 200, seed = "103")
    @Tag("full")
    void everyFaultHasAPlace(@ForAll("damaged") Damaged damaged) throws IOException {
        Path file = Files.write(folder.resolve("set" + damaged.ending()), damaged.bytes());
        try {
            DataReport report = DataCheck.of(file).run();
            report.findings().forEach(finding -> {
                assertEquals(file.toString(), finding.file());
                assertTrue(finding.lines().stream().allMatch(line -> line >= 1 && line <= damaged.bytes().length + 1L));
            });
            if (damaged.ending().equals(".jsonl") && !looksCompressed(damaged.bytes())) {
                assertEquals(linesWithText(damaged.bytes()).size(), report.rows());
            }
        } catch (DataException e) {
            assertEquals(file, e.file());
        } catch (java.io.UncheckedIOException e) {
            assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
        }
        try {
            ChatEncoder encoder = new ChatEncoder(new WordTokenizer(100_000), TestChatTemplate.chatMl());
            ChatDataset.read(file).forEach(encoder::encode);
        } catch (DataException e) {
            assertEquals(file, e.file());
        } catch (java.io.UncheckedIOException e) {
            assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
        }
    }

    private static boolean looksCompressed(byte[] bytes) {
        return bytes.length > 1 && (bytes[0] == 0x1F || bytes[0] == 0x28);
    }

    /** The numbers of the lines that are not blank, found in another way than the reader does. */
    private static List<Long> linesWithText(byte[] bytes) throws IOException {
        List<Long> numbers = new ArrayList<>();
        long number = 0;
        int from = 0;
        while (from < bytes.length) {
            int to = from;
            while (to < bytes.length && bytes[to] != '\n') {
                to++;
            }
            number++;
            String line = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPLACE)
                    .decode(ByteBuffer.wrap(bytes, from, to - from)).toString();
            line = number == 1 && line.startsWith("\uFEFF") ? line.substring(1) : line;
            if (!line.isBlank()) {
                numbers.add(number);
            }
            from = to + 1;
        }
        return numbers;
    }
}

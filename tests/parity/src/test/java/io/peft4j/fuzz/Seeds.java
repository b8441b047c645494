package io.peft4j.fuzz;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Sound files, which are damaged. */
final class Seeds {
    static final Path MODELS = Path.of("../../tests/fixtures");
    static final Path PARQUET = Path.of("../../formats/parquet", "src", "test", "resources", "fixtures");
    private static final Path DOCUMENTS = Path.of("../../formats/documents", "src", "test", "resources", "fixtures");
    private static final Map<Path, byte[]> READ = new ConcurrentHashMap<>();
    private static final Map<Path, Map<String, byte[]>> UNPACKED = new ConcurrentHashMap<>();
    private static final Map<String, List<Path>> FILES = new ConcurrentHashMap<>();

    private Seeds() {
    }

    static byte[] bytes(Path file) {
        return READ.computeIfAbsent(file, path -> {
            try {
                return Files.readAllBytes(path);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + path, e);
            }
        });
    }

    /** The first megabyte of each part of a document; to unpack one that is a bomb takes as long as many inputs. */
    static Map<String, byte[]> unpacked(Path document) {
        return UNPACKED.computeIfAbsent(document, path -> {
            Map<String, byte[]> parts = new LinkedHashMap<>();
            try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(bytes(path)))) {
                for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                    parts.put(entry.getName(), in.readNBytes(1 << 20));
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot unpack " + path, e);
            }
            return parts;
        });
    }

    static void copy(Path from, Path to, String... names) throws IOException {
        for (String name : names) {
            Files.write(to.resolve(name), bytes(from.resolve(name)));
        }
    }

    static List<Path> parquet() {
        return files(PARQUET, ".parquet");
    }

    static List<Path> documents(String ending) {
        return files(DOCUMENTS, ending);
    }

    /** Adapters of every method. */
    static List<Path> adapters() {
        return Stream.of("adapters", "methods").map(MODELS::resolve).flatMap(folder -> files(folder, "").stream())
                .filter(path -> Files.exists(path.resolve("adapter_model.safetensors"))).toList();
    }

    /** Models with a head, and encoder-decoders. */
    static List<Path> heads() {
        return Stream.of("encoders", "seq2seq").map(MODELS::resolve).flatMap(folder -> files(folder, "").stream())
                .toList();
    }

    static List<Path> files(Path folder, String ending) {
        return FILES.computeIfAbsent(folder + "/*" + ending, key -> {
            try (Stream<Path> paths = Files.list(folder)) {
                return paths.filter(path -> path.toString().endsWith(ending)).sorted().toList();
            } catch (IOException e) {
                throw new UncheckedIOException("cannot list " + folder, e);
            }
        });
    }

    static List<byte[]> templates() {
        return Stream.of("{% for m in messages %}{{ '<|' + m['role'] + '|>' + m.content | trim }}{% endfor %}"
                + "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}",
                "{%- macro show(x, n=2) -%}{{ x | upper }}{{ loop.index if loop else n * 3 }}{%- endmacro -%}"
                        + "{%- set ns = namespace(i=0) -%}{%- for m in messages[::-1] if m.role != 'system' -%}"
                        + "{%- set ns.i = ns.i + 1 -%}{{ show(m.content ~ ns.i) }}{{ loop.index0 % 2 }}{%- endfor %}"
                        + "{{ tools | tojson(indent=4) if tools else '' }}{{ range(10) | list | join(',') }}",
                "{{ bos_token }}{% filter upper %}{% for k, v in messages[0] | dictsort %}{{ '%s=%5.2f' % (k, 1.5) }}"
                        + "{{ '{:>10}'.format(v) }}{% endfor %}{% endfilter %}{{ 'a' * 5 }}{{ [1,2,3] | sum }}"
                        + "{{ raise_exception('no') if false }}{{ strftime_now('%Y') | length }}")
                .map(text -> text.getBytes(StandardCharsets.UTF_8)).toList();
    }

    /** A table of replacements with the one letter c, which becomes k: the trie of darts-clone, by hand. */
    static String charsMap() {
        ByteBuffer bytes = ByteBuffer.allocate(4 + 1024 + 2).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(1024);
        // The root leads to 1 ^ 'c', a unit with that label, a leaf, and an offset to the unit with the value 0.
        bytes.putInt(4, 1 << 10);
        int child = 1 ^ 'c';
        bytes.putInt(4 + 4 * child, 'c' | 1 << 8 | (child ^ 2) << 10);
        bytes.putInt(4 + 4 * 2, 1 << 31);
        bytes.put(1028, (byte) 'k');
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    /** What a writer writes. */
    static byte[] written(Writer writer) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            writer.write(out);
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    interface Writer {
        void write(OutputStream out) throws IOException;
    }
}

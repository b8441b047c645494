package io.peft4j.fuzz;

import com.github.luben.zstd.ZstdOutputStream;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.format.ExampleReader;
import io.peft4j.data.report.DataCheck;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Files of examples. */
final class DataTargets {
    private static final List<String> ROWS = List.of(
            "{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Wie viele "
                    + "Tage?\"},{\"role\":\"assistant\",\"content\":\"90\",\"weight\":1}],\"tools\":[{\"type\":"
                    + "\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]}",
            "{\"conversations\":[{\"from\":\"human\",\"value\":\"a\"},{\"from\":\"gpt\",\"value\":\"b\"}]}",
            "{\"instruction\":\"Say\",\"input\":\"it\",\"output\":\"done\"}",
            "{\"prompt\":\"a\",\"completion\":\"b\"}", "{\"question\":\"Why?\",\"answer\":\"So.\"}",
            "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\"}", "{\"text\":\"Plain text.\"}",
            "{\"text\":\"good\",\"label\":\"positive\"}",
            "{\"systemInstruction\":{\"parts\":[{\"text\":\"s\"}]},\"contents\":[{\"role\":\"user\",\"parts\":"
                    + "[{\"text\":\"q\"}]},{\"role\":\"model\",\"parts\":[{\"text\":\"a\"}]}]}");
    private static final String CSV = "question,answer,id\n\"How, much?\",\"Say \"\"ten\"\"\",1\n"
            + "Why?,\"two\nlines\",2\n";
    private static final String MARKDOWN = "Intro\n\n# One *two*\n\nText `code` [link](http://x).\n\n## Table\n\n|a|b|"
            + "\n|---|---|\n| 1 | 2 |\n\n- item\n  - deeper\n    1. number\n\n```java\nint x;\n```\n\n> quote\n\n"
            + "<b>html</b> &amp; &#x1F600;\n\nSetext\n======\n\n![p](p.png \"t\") **bold _both_**\n";
    private static final String HTML = "<!DOCTYPE html><html><head><title>t</title><style>p{}</style></head><body>"
            + "<h1>One</h1><p>Text <b>bold</b> &auml; &#128512;</p><h2>Two</h2><ul><li>a<ul><li>b</li></ul></li></ul>"
            + "<table><tr><th>h</th><td>d<p>in</p></td></tr></table><pre>code</pre><script>x<y</script><svg><p>s</p>"
            + "</svg></body></html>";

    private DataTargets() {
    }

    static List<FuzzTarget> all() {
        return List.of(target("JSON Lines", 3, "f.jsonl", damage -> damage.text(lines(damage))),
                target("one JSON row", 2, "f.jsonl", damage -> damage.json(utf8(damage.one(ROWS)),
                        1 + damage.below(4))),
                target("JSON list", 1, "f.json", damage -> damage.text(utf8("[" + String.join(",", ROWS) + "]"))),
                target("CSV", 1, "f.csv", damage -> damage.text(utf8(CSV))),
                target("TSV", 1, "f.tsv", damage -> damage.text(utf8(CSV.replace(',', '\t')))),
                target("gzip", 2, "f.jsonl.gz", damage -> {
                    byte[] content = content(damage);
                    return damage.bytes(Seeds.written(out -> {
                        try (GZIPOutputStream packed = new GZIPOutputStream(out)) {
                            packed.write(content);
                        }
                    }), 40);
                }),
                target("zstd", 2, "f.jsonl.zst", damage -> {
                    byte[] content = content(damage);
                    return damage.bytes(Seeds.written(out -> {
                        try (ZstdOutputStream packed = new ZstdOutputStream(out)) {
                            packed.write(content);
                        }
                    }), 40);
                }),
                target("Parquet", 6, "f.parquet", DataTargets::parquet),
                document("PDF", "pdf"), document("DOCX", "docx"), document("XLSX", "xlsx"),
                target("Markdown", 2, "f.md", damage -> damage.text(utf8(MARKDOWN))),
                target("HTML", 2, "f.html", damage -> damage.text(utf8(HTML))));
    }

    /** Office documents are damaged before they are packed, too: what is packed holds the XML. */
    private static FuzzTarget document(String name, String ending) {
        return target(name, 2, "f." + ending, damage -> {
            Path seed = damage.one(Seeds.documents(ending));
            byte[] content = Seeds.bytes(seed);
            return ending.equals("pdf") || damage.below(3) == 0 ? damage.bytes(content, content.length)
                    : repacked(damage, Seeds.unpacked(seed));
        });
    }

    private static byte[] repacked(Damage damage, Map<String, byte[]> parts) {
        return Seeds.written(out -> {
            try (ZipOutputStream packed = new ZipOutputStream(out)) {
                for (Map.Entry<String, byte[]> part : parts.entrySet()) {
                    packed.putNextEntry(new ZipEntry(part.getKey()));
                    packed.write(damage.below(4) == 0 ? damage.text(part.getValue()) : part.getValue());
                }
            }
        });
    }

    private interface Content {
        byte[] of(Damage damage);
    }

    private static FuzzTarget target(String name, int share, String file, Content content) {
        return new FuzzTarget(name, share, (damage, folder) -> Files.write(folder.resolve(file), content.of(damage)),
                (damage, folder) -> read(damage, folder.resolve(file)));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] lines(Damage damage) {
        List<String> lines = new ArrayList<>();
        for (int i = damage.below(5); i >= 0; i--) {
            lines.add(damage.one(ROWS));
        }
        return utf8(String.join("\n", lines) + "\n");
    }

    /** What is packed: rows, or a line that packs well. */
    private static byte[] content(Damage damage) {
        return damage.below(20) == 0 ? utf8("{\"text\":\"" + " ".repeat(20 << 20) + "\"}\n") : lines(damage);
    }

    /** The footer is at the end, its length in the last eight bytes, and describes the pages before it. */
    private static byte[] parquet(Damage damage) {
        byte[] content = Seeds.bytes(damage.one(Seeds.parquet()));
        if (damage.below(2) == 0) {
            return damage.bytes(content, content.length);
        }
        int footer = Math.max(0, content.length - 8 - Math.abs(java.nio.ByteBuffer.wrap(content)
                .order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt(content.length - 8)));
        byte[] end = java.util.Arrays.copyOfRange(content, footer, content.length);
        byte[] damaged = damage.bytes(end, end.length - 8);
        byte[] all = java.util.Arrays.copyOf(content, footer + damaged.length);
        System.arraycopy(damaged, 0, all, footer, damaged.length);
        return all;
    }

    private static void read(Damage damage, Path file) throws IOException {
        Reports reports = new Reports();
        reports.run(() -> ChatDataset.read(file));
        reports.run(() -> {
            try (ExampleReader reader = ExampleReader.open(file)) {
                Optional<ExampleReader.Item> item = reader.next();
                while (item.isPresent()) {
                    item = reader.next();
                }
            }
        });
        if (damage.below(4) == 0) {
            reports.run(() -> DataCheck.of(file).run());
        }
        reports.done();
    }
}

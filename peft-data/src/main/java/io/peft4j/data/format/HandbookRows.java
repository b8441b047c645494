package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.commonmark.node.Heading;
import org.commonmark.node.Node;
import org.commonmark.parser.IncludeSourceSpans;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.text.TextContentRenderer;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;

/**
 * A handbook in Markdown or HTML cut at its headings: a row for each section that has text, which is the answer. A
 * heading that is a question is the question of the row; of others a skeleton is made for people to fill
 * ({@link Skeleton}).
 */
final class HandbookRows implements RowSource {
    private static final int LARGEST = 64 << 20;
    private static final int DEEPEST = 100;

    private final Path file;
    private final Iterator<Entry> entries;

    HandbookRows(DataFile source, boolean html) {
        this.file = source.path();
        List<Entry> found = new ArrayList<>();
        Optional<String> text = text(source, found);
        if (text.isPresent()) {
            Sections sections = new Sections();
            if (html) {
                html(text.get(), sections);
            } else {
                markdown(text.get(), sections);
            }
            sections.end();
            found.addAll(sections.entries);
        }
        this.entries = found.iterator();
    }

    private Optional<String> text(DataFile source, List<Entry> faults) {
        StringBuilder text = new StringBuilder();
        try (InputStream in = DataFiles.text(source)) {
            Utf8Lines lines = new Utf8Lines(file, in);
            for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
                text.append(line.get()).append('\n');
                if (text.length() > LARGEST) {
                    throw new DataException(file, lines.line(), "is longer than " + (LARGEST >> 20) + " million "
                            + "characters, the limit for a handbook");
                }
            }
            return Optional.of(text.toString());
        } catch (DataException e) {
            faults.add(Entry.wrong("wrong_encoding", e));
            return Optional.empty();
        } catch (LongLineException e) {
            faults.add(Entry.wrong("wrong_encoding", new DataException(file, 1,
                    "holds a line that " + e.getMessage())));
            return Optional.empty();
        } catch (IOException e) {
            if (!DataFiles.isDamage(e)) {
                throw DataFiles.unreadable(file, e);
            }
            faults.add(DataFiles.damaged(file, 1, e));
            return Optional.empty();
        }
    }

    private static void markdown(String text, Sections sections) {
        Node document = Parser.builder().includeSourceSpans(IncludeSourceSpans.BLOCKS)
                .maxOpenBlockParsers(DEEPEST).maxInlineNesting(DEEPEST).build().parse(text);
        TextContentRenderer renderer = TextContentRenderer.builder().build();
        for (Node node = document.getFirstChild(); node != null; node = node.getNext()) {
            long line = node.getSourceSpans().isEmpty() ? 1 : node.getSourceSpans().get(0).getLineIndex() + 1L;
            if (node instanceof Heading heading) {
                sections.heading(heading.getLevel(), renderer.render(heading).strip(), line);
            } else {
                sections.text(renderer.render(node), line);
            }
        }
    }

    private static void html(String text, Sections sections) {
        Document document = Jsoup.parse(text, "", org.jsoup.parser.Parser.htmlParser().setTrackPosition(true));
        document.select("script, style, nav, head").remove();
        for (Element element : document.body().select("h1, h2, h3, h4, h5, h6, p, li, td, th, pre, dd, dt")) {
            long line = Math.max(1, element.sourceRange().start().lineNumber());
            if (element.tagName().matches("h[1-6]")) {
                sections.heading(element.tagName().charAt(1) - '0', element.text(), line);
            } else if (element.select("p, li, td, th, pre, dd, dt").size() == 1) {
                sections.text(element.text(), line);
            }
        }
    }

    /** Gathers the text below each heading. */
    private final class Sections {
        private final List<Entry> entries = new ArrayList<>();
        private final TreeMap<Integer, String> path = new TreeMap<>();
        private final StringBuilder text = new StringBuilder();
        private long begin = 1;

        void heading(int level, String title, long line) {
            end();
            path.tailMap(level, true).clear();
            path.put(level, title);
            begin = line;
        }

        void text(String block, long line) {
            if (path.isEmpty() && text.length() == 0) {
                begin = line;
            }
            text.append(text.length() == 0 ? "" : "\n\n").append(block.strip());
        }

        void end() {
            if (!text.toString().isBlank()) {
                String headings = String.join(", ", path.values());
                Map<String, Object> fields = new LinkedHashMap<>();
                fields.put("question", Optional.ofNullable(path.lastEntry()).map(Map.Entry::getValue)
                        .flatMap(HeadingQuestion::of).orElse(Skeleton.question(path.isEmpty() ? "the beginning"
                        : headings)));
                fields.put("answer", text.toString());
                fields.put("heading", String.join(" > ", path.values()));
                entries.add(Entry.of(new JsonLines.Row(file, begin, fields)));
            }
            text.setLength(0);
        }
    }

    @Override
    public Optional<Entry> next() {
        return entries.hasNext() ? Optional.of(entries.next()) : Optional.empty();
    }

    @Override
    public void close() {
        // Was read at once.
    }
}

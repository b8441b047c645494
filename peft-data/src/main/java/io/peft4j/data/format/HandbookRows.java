package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.commonmark.ext.gfm.tables.TableBlock;
import org.commonmark.ext.gfm.tables.TableRow;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.HardLineBreak;
import org.commonmark.node.Heading;
import org.commonmark.node.Paragraph;
import org.commonmark.node.SoftLineBreak;
import org.commonmark.node.Text;
import org.commonmark.parser.IncludeSourceSpans;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.text.TextContentRenderer;
import org.jsoup.Jsoup;
import org.jsoup.nodes.Document;
import org.jsoup.nodes.Element;
import org.jsoup.nodes.Node;
import org.jsoup.nodes.TextNode;
import org.jsoup.select.Elements;

/** Handbooks in Markdown and HTML, which are read at once and cut at their headings ({@link HandbookSections}). */
final class HandbookRows {
    private static final int DEEPEST = 100;
    private static final int DEEPEST_ELEMENT = 256;
    /** Steps for an element of HTML, which takes half a kilobyte. */
    private static final int ELEMENT = 1024;
    /** Steps for a place of a table. */
    private static final int PLACE = 64;
    private static final HandbookTable.Cell FREE = new HandbookTable.Cell("");
    private static final Parser MARKDOWN = Parser.builder().extensions(List.of(TablesExtension.create()))
            .includeSourceSpans(IncludeSourceSpans.BLOCKS).maxOpenBlockParsers(DEEPEST).maxInlineNesting(DEEPEST)
            .build();
    private static final TextContentRenderer PLAIN = TextContentRenderer.builder()
            .extensions(List.of(TablesExtension.create())).build();

    private HandbookRows() {
    }

    static RowSource open(DataFile source, boolean html) throws IOException {
        HandbookSections sections = new HandbookSections(source);
        text(source, sections).ifPresent(text -> {
            try {
                if (html) {
                    html(text, sections);
                } else {
                    markdown(text, sections);
                }
            } catch (DataException e) {
                sections.wrong("invalid_document", e);
            }
        });
        return sections.rows();
    }

    private static Optional<String> text(DataFile source, HandbookSections sections) throws IOException {
        Path file = source.path();
        StringBuilder text = new StringBuilder();
        try (InputStream in = DataFiles.text(source)) {
            Utf8Lines lines = new Utf8Lines(file, in);
            for (Optional<String> line = lines.next(); line.isPresent(); line = lines.next()) {
                text.append(line.get()).append('\n');
                HandbookSections.requireLength(file, lines.line(), text.length());
            }
            return Optional.of(text.toString());
        } catch (DataException e) {
            sections.wrong("wrong_encoding", e);
            return Optional.empty();
        } catch (LongLineException e) {
            sections.wrong("wrong_encoding", new DataException(file, 1, "holds a line that " + e.getMessage()));
            return Optional.empty();
        }
    }

    private static void markdown(String text, HandbookSections sections) {
        org.commonmark.node.Node document = MARKDOWN.parse(text);
        for (org.commonmark.node.Node node = document.getFirstChild(); node != null; node = node.getNext()) {
            long line = line(node);
            if (node instanceof Heading heading) {
                sections.heading(heading.getLevel(), PLAIN.render(heading).strip(), line);
            } else if (node instanceof TableBlock) {
                List<List<HandbookTable.Cell>> rows = new ArrayList<>();
                cells(node, rows);
                sections.table(new HandbookTable(rows), line);
            } else {
                node.accept(new LineMarks());
                sections.text(PLAIN.render(node), line);
            }
        }
    }

    private static long line(org.commonmark.node.Node node) {
        return node.getSourceSpans().isEmpty() ? 1 : node.getSourceSpans().get(0).getLineIndex() + 1L;
    }

    /** Marks the lines of paragraphs, each of which becomes one, but for what looks like items of a list. */
    private static final class LineMarks extends AbstractVisitor {
        private long line;

        @Override
        public void visit(Paragraph paragraph) {
            line = line(paragraph);
            visitChildren(paragraph);
            paragraph.prependChild(new Text(HandbookSections.mark(line(paragraph))));
        }

        @Override
        public void visit(SoftLineBreak end) {
            line++;
            String next = end.getNext() instanceof Text text ? text.getLiteral() : "";
            boolean item = ListMarkers.begins(next) || next.matches("\\p{Lu}[^.:!?]{1,30}: .+");
            end.insertAfter(new Text(HandbookSections.mark(line)));
            // A term and its definition are one line.
            end.insertAfter(item ? new HardLineBreak() : new Text(next.startsWith(":") ? "" : " "));
            end.unlink();
        }

        @Override
        public void visit(HardLineBreak end) {
            line++;
            end.insertAfter(new Text(HandbookSections.mark(line)));
        }
    }

    /** The cells of a table's head and body. */
    private static void cells(org.commonmark.node.Node parent, List<List<HandbookTable.Cell>> rows) {
        for (org.commonmark.node.Node node = parent.getFirstChild(); node != null; node = node.getNext()) {
            if (node instanceof TableRow) {
                List<HandbookTable.Cell> row = new ArrayList<>();
                for (org.commonmark.node.Node cell = node.getFirstChild(); cell != null; cell = cell.getNext()) {
                    row.add(new HandbookTable.Cell(text(cell), line(node)));
                }
                rows.add(row);
            } else {
                cells(node, rows);
            }
        }
    }

    /** A cell alone is written with the separator of cells. */
    private static String text(org.commonmark.node.Node cell) {
        StringBuilder text = new StringBuilder();
        for (org.commonmark.node.Node part = cell.getFirstChild(); part != null; part = part.getNext()) {
            text.append(PLAIN.render(part));
        }
        return text.toString();
    }

    private static void html(String text, HandbookSections sections) {
        for (int at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at + 1)) {
            sections.step(ELEMENT);
        }
        Document document = Jsoup.parse(text, "", org.jsoup.parser.Parser.htmlParser().setTrackPosition(true));
        document.traverse((node, depth) -> {
            if (depth > DEEPEST_ELEMENT) {
                throw sections.tooDeep(DEEPEST_ELEMENT);
            }
        });
        document.select("script, style, nav, head, template").remove();
        html(document.body(), sections);
    }

    /** The text of an element, block by block; text between blocks is one, too. */
    private static void html(Element parent, HandbookSections sections) {
        StringBuilder inline = new StringBuilder();
        long line = line(parent);
        for (Node child : parent.childNodes()) {
            if (child instanceof TextNode text) {
                inline.append(marked(text));
            } else if (child instanceof Element element && isInline(element, sections)) {
                inline.append(HandbookSections.mark(line(element)));
                inline.append(element.normalName().equals("br") ? " " : element.text());
            } else if (child instanceof Element element) {
                sections.text(inline.toString(), line);
                inline.setLength(0);
                block(element, sections);
                line = line(element);
            }
        }
        sections.text(inline.toString(), line);
    }

    /** Its words, with a mark where one is the first of a line. */
    private static String marked(TextNode text) {
        StringBuilder marked = new StringBuilder();
        String[] parts = text.getWholeText().split("\n", -1);
        for (int i = 0; i < parts.length; i++) {
            String words = parts[i].replaceAll("\\s+", " ");
            words = i == 0 ? words : words.stripLeading();
            marked.append(i == 0 || marked.length() > 0 && marked.charAt(marked.length() - 1) == ' ' ? "" : " ");
            marked.append(words.isBlank() ? "" : HandbookSections.mark(line(text) + i)).append(words);
        }
        return marked.toString();
    }

    private static boolean isInline(Element element, HandbookSections sections) {
        Elements all = element.getAllElements();
        sections.step(all.size());
        return all.stream().noneMatch(Element::isBlock);
    }

    private static void block(Element element, HandbookSections sections) {
        boolean layout = !element.select("h1, h2, h3, h4, h5, h6, table table").isEmpty();
        if (element.normalName().matches("h[1-6]")) {
            sections.heading(element.normalName().charAt(1) - '0', element.text(), line(element));
        } else if (element.normalName().equals("table") && !layout) {
            sections.table(new HandbookTable(cells(element, sections)), line(element));
        } else {
            html(element, sections);
        }
    }

    /** Each place of a table with the cell that covers it. */
    private static List<List<HandbookTable.Cell>> cells(Element table, HandbookSections sections) {
        List<Element> rows = table.select("tr");
        List<List<HandbookTable.Cell>> grid = new ArrayList<>();
        rows.forEach(row -> grid.add(new ArrayList<>()));
        for (int r = 0; r < rows.size(); r++) {
            int column = 0;
            for (Element element : rows.get(r).select("> th, > td")) {
                while (column < grid.get(r).size() && grid.get(r).get(column) != FREE) {
                    column++;
                }
                HandbookTable.Cell cell = new HandbookTable.Cell(element.text(), line(element));
                int to = column + span(element, "colspan");
                for (int below = r; below < Math.min(rows.size(), r + span(element, "rowspan")); below++) {
                    List<HandbookTable.Cell> row = grid.get(below);
                    sections.step(PLACE * Math.max(1, to - column));
                    row.addAll(Collections.nCopies(Math.max(0, to - row.size()), FREE));
                    Collections.fill(row.subList(column, to), cell);
                }
                column = to;
            }
        }
        return grid;
    }

    private static int span(Element cell, String attribute) {
        String count = cell.attr(attribute).strip();
        return count.matches("[1-9]\\d{0,2}") ? Integer.parseInt(count) : 1;
    }

    private static long line(Node node) {
        return Math.max(1, node.sourceRange().start().lineNumber());
    }
}

package io.peft4j.documents.internal;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.HandbookSections;
import io.peft4j.data.format.JsonLines;
import io.peft4j.data.format.RowSource;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.poi.openxml4j.exceptions.OpenXML4JException;
import org.apache.poi.openxml4j.opc.OPCPackage;
import org.apache.poi.util.XMLHelper;
import org.apache.poi.xssf.eventusermodel.ReadOnlySharedStringsTable;
import org.apache.poi.xssf.eventusermodel.XSSFReader;
import org.apache.poi.xssf.eventusermodel.XSSFSheetXMLHandler;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.XMLReader;

/** The sheets of a spreadsheet, read one after the other. */
final class ExcelSheets {
    private final DataFile file;
    private final HandbookSections sections;
    /** Rows of the sheets before, which makes the numbers of lines differ. */
    private long before;

    ExcelSheets(DataFile file, HandbookSections sections) {
        this.file = file;
        this.sections = sections;
    }

    /** The rows of all sheets. */
    RowSource read() throws IOException {
        try (OPCPackage container = OfficePackages.open(file.path())) {
            XSSFReader reader = new XSSFReader(container);
            ReadOnlySharedStringsTable texts = new ReadOnlySharedStringsTable(container);
            XSSFReader.SheetIterator sheets = (XSSFReader.SheetIterator) reader.getSheetsData();
            while (sheets.hasNext()) {
                try (InputStream in = sheets.next()) {
                    SheetCells cells = new SheetCells(file.path());
                    XMLReader xml = XMLHelper.newXMLReader();
                    xml.setContentHandler(new XSSFSheetXMLHandler(reader.getStylesTable(), null, texts, cells,
                            new CellTexts(), false));
                    xml.parse(new InputSource(in));
                    add(sheets.getSheetName(), cells.rows());
                    before += cells.last();
                }
            }
        } catch (OpenXML4JException | SAXException | ParserConfigurationException e) {
            throw new IOException(e.getMessage(), e);
        }
        return sections.rows();
    }

    private void add(String sheet, List<SheetCells.Row> rows) {
        if (rows.isEmpty()) {
            return;
        }
        // A title may stand above the names of the columns.
        int head = 0;
        while (head + 1 < rows.size() && rows.get(head).filled() < Math.min(2, rows.get(head + 1).filled())) {
            head++;
        }
        SheetCells.Row names = rows.get(head);
        if (file.isTableOfExamples(names.cells())) {
            rows.subList(head + 1, rows.size()).forEach(row -> sections.add(example(sheet, names, row)));
            return;
        }
        sections.place("sheet", sheet);
        sections.heading(1, sheet, before + rows.get(0).number());
        rows.subList(0, head).forEach(row -> sections.text(String.join(" ", row.cells()), before + row.number()));
        sections.table(rows.subList(head, rows.size()).stream().map(SheetCells.Row::cells).toList(),
                before + names.number());
    }

    private RowSource.Entry example(String sheet, SheetCells.Row head, SheetCells.Row row) {
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < Math.max(head.cells().size(), row.cells().size()); i++) {
            String name = head.cell(i).strip();
            if (name.isEmpty() ? !row.cell(i).isBlank() : fields.containsKey(name)) {
                return RowSource.Entry.wrong("invalid_document", new DataException(file.path(), before + row.number(),
                        name.isEmpty() ? "sheet '" + sheet + "' has a cell in column " + (i + 1) + ", which has no name"
                                : "sheet '" + sheet + "' names a column twice: '" + name + "'"));
            }
            if (!name.isEmpty()) {
                fields.put(name, row.cell(i));
            }
        }
        fields.putIfAbsent("sheet", sheet);
        fields.putIfAbsent("row", (int) row.number());
        return RowSource.Entry.of(new JsonLines.Row(file.path(), before + row.number(), fields));
    }
}

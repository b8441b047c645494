package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.format.ExampleReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Handbooks in Markdown as people write them, from the file to the rows. */
class MarkdownHandbookTest {
    @TempDir
    Path folder;

    private List<String> rows(String markdown) throws IOException {
        Path file = Files.writeString(folder.resolve("h.md"), "# Rules\n\n" + markdown);
        List<ChatExample> sections;
        try (ExampleReader reader = ExampleReader.open(DataFile.of(file))) {
            sections = reader.stream().map(Example::toChat).flatMap(java.util.Optional::stream).toList();
        }
        return PassageQuestions.byRule(sections).rows().stream().map(row -> row.messages().get(0).content() + " " + row
                .messages().get(1).content()).toList();
    }

    @Test
    void aNameOverSeveralColumnsIsDividedByTheNextRow() throws IOException {
        assertEquals(
                List.of("What is the spindle speed of the G3 machine? The spindle speed of the G3 machine is 90 rpm.",
                        "What is the spindle power of the G3 machine? The spindle power of the G3 machine is 7 kW."),
                rows("| Machine | Spindle | |\n|---|---|---|\n| | speed | power |\n| G3 | 90 rpm | 7 kW |\n"
                        + "| G4 | 80 rpm | 8 kW |\n").subList(0, 2));
    }

    @Test
    void blankNamesAboveOrdinaryRowsAreNotDivided() throws IOException {
        assertEquals(List.of("What is the start of Monday? The start of Monday is 6:30."),
                rows("| Day | Start | |\n|---|---|---|\n| Monday | 6:30 | |\n| Tuesday | 7:30 | |\n").subList(0, 1));
    }

    @Test
    void aTermAndItsDefinitionAreOneLine() throws IOException {
        assertEquals(List.of("What is noted under Parking permit? Parking permit: Costs 25 EUR a month."),
                rows("Parking permit\n: Costs 25 EUR a month.\n"));
    }

    @Test
    void numbersOfClausesAreNeitherAskedForNorAnswered() throws IOException {
        assertEquals(List.of("How many hours is the working week? The working week is 38.5 hours.",
                "What should I know about breaks? Breaks are at noon."),
                rows("1.1 The working week is 38.5 hours.\n\n1.2.3 Breaks are at noon.\n"));
    }

    @Test
    void linesOfTextWithColonsAreNoTable() throws IOException {
        assertEquals(List.of("What is noted under Passes? Passes: not included; they are sold at the gate.",
                "What is noted under Lost property? Lost property: kept at the office",
                "What is noted under Photos? Photos: guests may refuse"),
                rows("Passes: not included; they are sold at the gate.\nLost property: kept at the office\n"
                        + "Photos: guests may refuse\n"));
    }
}

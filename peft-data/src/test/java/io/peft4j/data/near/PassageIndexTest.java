package io.peft4j.data.near;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PassageIndexTest {
    @TempDir
    private Path folder;

    @Test
    void paragraphsKeepTheirHeading() throws IOException {
        Path file = Files.writeString(folder.resolve("handbook.md"), "# Travel\n\nTrains are second class.\n\n\n"
                + "Hotels cost up to 120 euros.\n\n## Notice\n\n90 days.\n");
        assertEquals(List.of("Travel\nTrains are second class.", "Hotels cost up to 120 euros.", "Notice\n90 days."),
                PassageIndex.ofFile(file).texts());
        Path page = Files.writeString(folder.resolve("handbook.html"), "<h1>Travel</h1><p>Trains are second class.</p>"
                + "<p>Hotels too.</p><h1>Notice</h1><p>90 days.");
        assertEquals(List.of("Travel\nTrains are second class.\n\nHotels too.", "Notice\n90 days."),
                PassageIndex.ofFile(page).texts());
    }

    @Test
    void rareWordsFindTheirText() {
        PassageIndex index = PassageIndex.of(List.of("the notice period is 90 days", "the hotel is 120 euros",
                "the train is slow"));
        assertEquals("the hotel is 120 euros", index.best("What is the price of the hotel?", 2).get(0));
        assertEquals(List.of(), index.best("zebra", 2));
    }
}

package io.peft4j.data.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Text that was read in the wrong encoding is mended, and sound text is never changed. */
class MojibakeTest {
    private static final Charset WINDOWS = Charset.forName("windows-1252");
    private static final Path HANDBOOK = Path.of("../examples/handbook");

    private static String garbled(String text, Charset readAs) {
        return new String(text.getBytes(StandardCharsets.UTF_8), readAs);
    }

    @ParameterizedTest
    @ValueSource(strings = {"K\u00fcndigungsfrist", "\u00dcber\u00f6rtliche Gr\u00f6\u00dfe", "caf\u00e9 \u2013 "
            + "d\u00e9j\u00e0 vu",
        "\u201eJa\u201c, sagte sie\u2026",
        "30 \u20ac f\u00fcr Max\u2019 Stra\u00dfe \u00a7 5",
        "K\u00dcNDIGUNG", "Gda\u0144sk \u0142\u00f3d\u017a", "20 \u00b0C \u00b1 1", "ma\u00f1ana \u00bfqu\u00e9?",
        "Prima \ud83d\ude00", "\u65e5\u672c\u8a9e", "GR\u00d6SSE \u00c4NDERN"})
    void whatWasReadWronglyOnceOrTwiceIsMended(String sound) {
        String once = garbled(sound, StandardCharsets.ISO_8859_1);
        assertEquals(sound, Mojibake.mended(once));
        assertEquals(sound, Mojibake.mended(garbled(once, StandardCharsets.ISO_8859_1)));
        // Windows-1252 has no letter for five bytes, which are lost where they are read as such.
        String read = sound;
        for (int times = 1; times <= 2; times++) {
            read = garbled(read, WINDOWS);
            if (read.indexOf('\ufffd') >= 0) {
                break;
            }
            assertEquals(sound, Mojibake.mended(read));
        }
        assertSame(sound, Mojibake.mended(sound));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\u201egro\u00df\u201c, Spa\u00df\u2026 hei\u00df\u2019 gro\u00df\u00ade",
        "Anlage \u00c4\u00a0und \u00d6\u2013\u00dc, \u00d6\u00adl", "der Buchstabe \u201e\u00c4\u201c",
        "AMANH\u00c3\u201d, disse", "MA\u00c7\u00c3\u2026", "\u00c9\u00bb fin",
        "\u00c2ge \u00c5ngstr\u00f6m \u00c5\u2026", "S\u00c3O PAULO", "\u00e2me", "na\u00efve",
        "\u201cHe said \u2018caf\u00e9\u2019\u201d",
        "\u00c4\u00d6\u00dc\u00df", "No\u00ebl \u00e0 \u20ac5", "\u041f\u0440\u0438\u0432\u0435\u0442",
        "\u00d8l \u00b7"})
    void soundTextStaysAsItIs(String sound) {
        assertSame(sound, Mojibake.mended(sound));
    }

    @Test
    void noLineOfTheHandbookIsTouched() throws IOException {
        for (String file : List.of("train.jsonl", "heldout.jsonl")) {
            String text = Files.readString(HANDBOOK.resolve(file));
            assertSame(text, Mojibake.mended(text));
        }
    }
}

package io.peft4j.data.clean;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Personal data is found by form and check digits; what only looks like it is left alone. */
class PiiDetectorTest {
    private final PiiDetector detector = PiiDetector.standard();

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            Mail a.b+c@mail.example.co.uk, please.              | Mail [EMAIL], please.
            j\u00fcrgen@b\u00fccher.de schreibt                 | [EMAIL] schreibt
            Call +49 (0)89 / 123 45-67 or 030 90121234.         | Call [PHONE] or [PHONE].
            Ring (212) 555-0142 or 212-555-0142 x3              | Ring [PHONE] or [PHONE] x3
            phone: 5551234                                      | phone: [PHONE]
            DE89 3704 0044 0532 0130 00 and GB82WEST12345698765432 | [IBAN] and [IBAN]
            Card 4111 1111 1111 1111, 378282246310005.          | Card [CARD], [CARD].
            Card 4111 1111 1111 1111 12/27 or 5500 0000 0000 0004 123. | Card [CARD] 12/27 or [CARD] 123.
            4111-1111-1111-1111 0128                            | [CARD] 0128
            Hosts 10.1.2.3, 2001:db8::8a2e:370:7334 and fe80::1ff:fe23:4567:890a | Hosts [IP], [IP] and [IP]
            """)
    void isFound(String text, String redacted) {
        assertEquals(redacted, detector.redact(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"logo@2x.png", "a @ b.com", "on 2024-03-15 or 15.03.2024 at 12:30:45", "version 4.1.2.3",
        "v10.0.0.1", "Order 4711-2020-33", "4111 1111 1111 1112", "DE89 3704 0044 0532 0130 01", "999.1.1.1",
        "std::vector<int> and a::b", "127.0.0.1", "1300000 euros", "ISBN 978-3-16-148410-0", "12345678901234567890",
        "the ratio is 3.14159265358979", "0.0.0.0", "from 1999 to 2004", "1-2-3-4-5-6-7", "123-45-6789"})
    void isLeftAlone(String text) {
        assertEquals(List.of(), detector.find(text));
    }

    @Test
    void nationalIdsAreFoundOnRequest() {
        PiiDetector all = PiiDetector.of(EnumSet.allOf(PiiKind.class));
        assertEquals("[ID], [ID], [ID], [ID]", all.redact("123-45-6789, 86095742719, AB 12 34 56 C, 12345678Z"));
        assertEquals(List.of(), all.find("000-45-6789, 86095742718, 12345678A"));
    }

    @Test
    void anyTextIsReadInTimeAndMatchesLieInside() {
        SplittableRandom random = new SplittableRandom(11);
        String alphabet = "0123456789 .-/()+@:abDEGB\uD83D\uDE00,";
        for (int round = 0; round < 3000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(300); i > 0; i--) {
                text.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            int end = 0;
            for (PiiDetector.PiiMatch match : PiiDetector.of(EnumSet.allOf(PiiKind.class)).find(text.toString())) {
                assertTrue(match.start() >= end && match.end() > match.start() && match.end() <= text.length());
                end = match.end();
            }
        }
        assertEquals(List.of(), detector.find("1 ".repeat(100_000)));
    }
}

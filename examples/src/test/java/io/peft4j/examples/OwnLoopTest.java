package io.peft4j.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The loops of one's own learn, on the model that comes along. */
class OwnLoopTest {
    private static final Pattern ROUND = Pattern.compile("round \\d: loss ([\\d.]+) on \".*?\", preference ([\\d.]+)",
            Pattern.DOTALL);

    @Test
    void bothAdaptersLearnInTurn() {
        PrintStream console = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            OwnLoop.main(new String[] {"tiny"});
        } finally {
            System.setOut(console);
        }
        String text = printed.toString(StandardCharsets.UTF_8);
        List<MatchResult> rounds = ROUND.matcher(text).results().toList();
        assertEquals(3, rounds.size(), text);
        assertTrue(Double.parseDouble(rounds.get(2).group(2)) < Double.parseDouble(rounds.get(0).group(2)), text);
    }
}

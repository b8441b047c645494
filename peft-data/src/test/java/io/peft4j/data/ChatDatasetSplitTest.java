package io.peft4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A split in two is as random as its seed. */
class ChatDatasetSplitTest {
    @Test
    void anotherSeedGivesAnotherSplit() {
        ChatDataset dataset = numbered(100);
        assertNotEquals(dataset.split(new SplitOptions(0.5, 1)).test().examples(),
                dataset.split(new SplitOptions(0.5, 2)).test().examples());
    }

    @Test
    void everyExampleIsHeldOutEquallyOften() {
        ChatDataset dataset = numbered(20);
        int[] heldOut = new int[20];
        int rounds = 4000;
        for (int seed = 0; seed < rounds; seed++) {
            dataset.split(new SplitOptions(0.25, seed)).test().forEach(e -> heldOut[(int) e.origin().line() - 1]++);
        }
        // Binomial with p = 1/4: 1000 expected, standard deviation 27; five of them would come by chance once in a
        // million.
        Arrays.stream(heldOut).forEach(count -> assertEquals(1000, count, 140));
    }

    @Test
    void threeOfFiveExamplesAreGeneralOnesAndAllOfThemToAThousand() {
        for (int[] expected : new int[][] {{1, 1}, {50, 30}, {176, 104}, {1000, 104}, {1001, 208}, {30_000, 3120}}) {
            ChatDataset both = numbered(expected[0]).remembering();
            assertEquals(expected[0] + expected[1], both.size());
            assertEquals(ChatDataset.general().examples().get((expected[1] - 1) % 104),
                    both.examples().get(both.size() - 1));
        }
        assertEquals(104, ChatDataset.general().stream().map(ChatExample::messages).distinct().count());
    }

    @Test
    void ratiosMustSumToOneAndLeaveNoPartEmpty() {
        assertEquals(new SplitOptions(0.1, 7), SplitOptions.ratios(0.9, 0.1).seed(7));
        assertThrows(ConfigurationException.class, () -> SplitOptions.ratios(0.9, 0.2));
        assertThrows(ConfigurationException.class, () -> SplitOptions.ratios(1, 0));
        assertThrows(ConfigurationException.class, () -> new SplitOptions(Double.NaN, 0));
        assertThrows(ConfigurationException.class, () -> numbered(3).split(new SplitOptions(0.1, 0)));
    }

    private static ChatDataset numbered(int size) {
        return ChatDataset.of(IntStream.range(0, size).boxed().flatMap(i -> Stream.of(
                ChatExample.of(ChatMessage.user("q" + i), ChatMessage.assistant("a" + i)))).toList());
    }
}

package io.peft4j.models.tokenizer;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Regular expressions of real tokenizers cost little, and those that try ever more ways are refused. */
class RegexCostTest {
    /** What GPT-2, GPT-4, GPT-4o, Qwen 2, DeepSeek, Falcon, BLOOM, Kimi, EXAONE, SuperBPE and others cut by. */
    private static final List<String> REAL = List.of(
            "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                    + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$"
                    + "|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
            "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve"
                    + "|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}"
                    + "\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+"
                    + "|\\s+(?!\\S)|\\s+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                    + "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
            "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", "[0-9][0-9][0-9]", "[\r\n]", "\\s?[A-Za-z\u00b5\uffda]+",
            " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+",
            "[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{M}&&[^\\p{Han}]]+",
            "[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}",
            "(?=(\\d{3})+(?!\\d))", "\\d{1,3}(?=(?:\\d{3})*\\b)", "<\\|startoftext\\|>|'s|[\\p{L}]+|[^\\s\\p{L}]+");

    @Test
    void theExpressionsOfRealTokenizersTakeTextsOfAMillionCharacters() {
        for (String expression : REAL) {
            int longest = assertDoesNotThrow(() -> RegexCost.of(expression), expression).longestText();
            assertTrue(longest >= 1 << 20, expression + " takes " + longest);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"(a+)+$", "(a|aa)+$", "(a|a)*b", "(?:a?){30}b{30}x|(a*)*b", ".*.*x", "\\s*\\s*x",
        "(?=.*.*x)y", "(.*)*z", "(?:x+y*)+z", "a{0,1000}a{0,1000}x", "((a{1,10}){1,10}){1,10}b"})
    void anExpressionThatTriesEverMoreWaysIsRefused(String expression) {
        assertThrows(IllegalArgumentException.class, () -> RegexCost.of(expression));
    }

    @ParameterizedTest
    @ValueSource(strings = {"(?=a\\K)b", "(a)\\1", "\\g<0>", "(?R)", "(?{x})", "(?~abc)", "(?<n>a)\\k<n>", "(*FAIL)",
        "a{2", "[a", "[]a]", "(a", "a)", "*a", "a{5,2}", "\\p{L", "\\", "a{99999}", "(?x:a b)", "\\X+", "\\xZ"})
    void anExpressionThatIsNotUnderstoodIsRefused(String expression) {
        assertThrows(IllegalArgumentException.class, () -> RegexCost.of(expression));
    }

    @Test
    void anExpressionOfAnyDepthOrLengthIsRefusedWithoutTrouble() {
        assertThrows(IllegalArgumentException.class, () -> RegexCost.of("(".repeat(10_000)));
        assertThrows(IllegalArgumentException.class, () -> RegexCost.of("[".repeat(10_000)));
        assertThrows(IllegalArgumentException.class, () -> RegexCost.of("a".repeat(100_000)));
    }

    @Test
    void aLoopCostsOnlyWhereSomethingBehindItCanFail() {
        assertEquals(new RegexCost(1, 0), RegexCost.of("\\p{L}+"));
        assertEquals(new RegexCost(1, 0), RegexCost.of("\\p{L}+[\\r\\n]*"));
        assertEquals(new RegexCost(1, 1), RegexCost.of("\\s*[\\r\\n]+"));
        assertEquals(new RegexCost(1, 0), RegexCost.of("\\s*+[\\r\\n]+"));
        assertEquals(new RegexCost(2, 2), RegexCost.of("\\s+(?!\\S)|\\s*x"));
    }

    @Test
    void itIsKnownWhatCanMatchNothing() {
        for (String nothing : List.of("", "a*", "a|", "^", "(?=a)", "a?b*", "(?:a|\\b)", "(?>a*)", "a{0,3}")) {
            assertTrue(RegexCost.matchesNothing(nothing), nothing);
        }
        for (String something : List.of("a", "a+", "a*b", "(?=a)a", "(?>a)", "a{1,3}", "[ab]", "a|b")) {
            assertFalse(RegexCost.matchesNothing(something), something);
        }
    }
}

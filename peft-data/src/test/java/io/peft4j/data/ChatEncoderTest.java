package io.peft4j.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.DataException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Encoding;
import io.peft4j.core.text.TestChatTemplate;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Which tokens of a conversation are learned, and which conversations are refused. */
class ChatEncoderTest {
    private final WordTokenizer tokenizer = new WordTokenizer(500);
    private final ChatEncoder encoder = new ChatEncoder(tokenizer, TestChatTemplate.chatMl());

    @Test
    void theAnswerAndItsEndOfTurnTokenAreLearned() {
        ChatExample example = ChatExample.of(ChatMessage.user("How long is it?"), ChatMessage.assistant("90 days."));
        TokenSequence sequence = encoder.encode(example);
        assertEquals("<|im_start|>user\nHow long is it?<|im_end|>\n<|im_start|>assistant\n[[90 days.<|im_end|>]]\n",
                encoder.preview(example));
        assertEquals("90 days.<|im_end|>", learned(sequence));
        // 9, 0, " days", ".", end of turn; the line break after it is not an answer.
        assertEquals(5, sequence.supervisedTokens());
        assertEquals(0, sequence.weights()[sequence.length() - 1]);
    }

    @Test
    void theEndOfTurnTokenIsLearnedEvenIfItIsThePaddingToken() {
        assertEquals(tokenizer.padId(), tokenizer.eosId());
        TokenSequence sequence = encoder.encode(ChatExample.of(ChatMessage.user("a"), ChatMessage.assistant("b")));
        int last = sequence.length() - 2;
        assertEquals(WordTokenizer.END, sequence.ids()[last]);
        assertEquals(1, sequence.weights()[last]);
        // The user's turn ends with the same token, which is not learned.
        assertEquals(WordTokenizer.END, sequence.ids()[4]);
        assertEquals(0, sequence.weights()[4]);
    }

    @Test
    void everyAnswerOfALongConversationIsLearned() {
        ChatExample example = ChatExample.of(ChatMessage.system("Be brief."), ChatMessage.user("One?"),
                ChatMessage.assistant("First answer."), ChatMessage.user("Two?"), ChatMessage.assistant("Second."));
        assertEquals("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nOne?<|im_end|>\n"
                + "<|im_start|>assistant\n[[First answer.<|im_end|>]]\n<|im_start|>user\nTwo?<|im_end|>\n"
                + "<|im_start|>assistant\n[[Second.<|im_end|>]]\n", encoder.preview(example));
    }

    @Test
    void anExampleThatIsFarTooLongIsLeftOutWithoutBeingEncoded() {
        ChatExample far = ChatExample.of(ChatMessage.user("a ".repeat(300_000)), ChatMessage.assistant("Yes."));
        ChatExample near = ChatExample.of(ChatMessage.user("a ".repeat(300)), ChatMessage.assistant("Yes."));
        EncodedChats encoded = encoder.encode(ChatDataset.of(List.of(far, near)), 1000);
        assertEquals(List.of(near.messages()), encoded.kept().stream().map(ChatExample::messages).toList());
        int tokens = encoded.tooLong().get(0).tokens();
        assertTrue(tokens > 1000 && tokens < 200_000, tokens + " tokens");
        assertEquals(0, encoder.beyond(far, 700_000));
        assertEquals(0, encoder.beyond(near, 10));
    }

    @Test
    void anAnswerOfWeightZeroIsNotLearned() {
        ChatExample example = ChatExample.of(ChatMessage.user("One?"), weighted("Wrong.", 0), ChatMessage.user("Sure?"),
                weighted("Right.", 1));
        assertEquals("Right.<|im_end|>", learned(encoder.encode(example)));
    }

    @Test
    void aConversationWithoutAnswerHasNothingToLearn() {
        assertEquals(0, encoder.encode(ChatExample.of(ChatMessage.user("One?"))).supervisedTokens());
    }

    @Test
    void endOfTurnTextInsideOfAnAnswerDoesNotEndIt() {
        ChatExample example = ChatExample.of(ChatMessage.user("What ends a turn?"),
                ChatMessage.assistant("It is <|im_end|> that ends it."));
        assertEquals("It is <|im_end|> that ends it.<|im_end|>", learned(encoder.encode(example)));
    }

    @Test
    void endOfTurnTextInAnAnswerEndsItOnlyIfTheTemplateHasSuchAnEnd() {
        ChatEncoder plain = new ChatEncoder(tokenizer, plain());
        ChatExample example = ChatExample.of(ChatMessage.user("What ends a turn?"),
                ChatMessage.assistant("It is <|im_end|> that ends it."));
        assertEquals("Q:\nWhat ends a turn?\nA:\n[[It is <|im_end|> that ends it.\n]]", plain.preview(example));
    }

    @Test
    void multiTokenCharactersAndWhiteSpaceAreLearnedWhole() {
        String answer = "Yes \uD83D\uDE00,\n\n  e\u0301t\u00e9 \uD83D\uDE00";
        TokenSequence sequence = encoder.encode(ChatExample.of(ChatMessage.user("\uD83D\uDE00?"),
                ChatMessage.assistant(answer)));
        assertEquals(answer + "<|im_end|>", learned(sequence));
        // Yes | space | 2 halves | , | 2 line breaks | space | space e | accent | t, e acute | space | 2 halves | end
        assertEquals(14, sequence.supervisedTokens());
    }

    @Test
    void toolsArePassedToTheTemplate() {
        ChatExample example = new ChatExample(List.of(ChatMessage.user("a"), ChatMessage.assistant("b")),
                List.of(Map.of("type", "function")), Map.of(), new Origin("tools.jsonl", 1));
        assertTrue(encoder.preview(example).startsWith("<|im_start|>system\ntools: [{type=function}]<|im_end|>\n"));
        assertEquals("b<|im_end|>", learned(encoder.encode(example)));
    }

    @Test
    void aTemplateThatRewritesEarlierTurnsIsRefused() {
        ChatTemplate forgetful = TestChatTemplate.of((messages, prompt, tools) -> {
            List<ChatMessage> shown = new ArrayList<>();
            for (int i = 0; i < messages.size(); i++) {
                String content = messages.get(i).content();
                boolean last = i == messages.size() - 1;
                shown.add(messages.get(i).withContent(last ? content : content.replaceAll("<think>.*</think>", "")));
            }
            return TestChatTemplate.chatMl().render(shown, prompt);
        });
        ChatEncoder refusing = new ChatEncoder(tokenizer, forgetful);
        ChatExample thoughtful = at(7, ChatMessage.user("One?"), ChatMessage.assistant("<think>hm</think>First."),
                ChatMessage.user("Two?"), ChatMessage.assistant("<think>so</think>Second."));
        DataException refused = assertThrows(DataException.class, () -> refusing.encode(thoughtful));
        assertTrue(refused.getMessage().startsWith("chats.jsonl:7: the chat template renders message 2 differently"),
                refused.getMessage());
        ChatExample single = at(8, ChatMessage.user("One?"), ChatMessage.assistant("<think>hm</think>First."));
        assertEquals("<think>hm</think>First.<|im_end|>", learned(refusing.encode(single)));
    }

    @Test
    void aTokenAcrossTheBorderOfHeaderAndAnswerIsRefused() {
        ChatExample example = at(3, ChatMessage.user("One?"), ChatMessage.assistant("\nFirst."));
        DataException refused = assertThrows(DataException.class, () -> encoder.encode(example));
        assertEquals(3, refused.line());
        assertTrue(refused.getMessage().contains("a token (\"\n\n\") spans the border"), refused.getMessage());
        assertTrue(refused.getMessage().contains("message 2"), refused.getMessage());
    }

    @Test
    void aTokenAcrossTheEndOfATurnIsRefusedUnlessSeparated() {
        ChatTemplate joined = TestChatTemplate.of((messages, prompt, tools) -> {
            StringBuilder text = new StringBuilder();
            messages.forEach(m -> text.append(m.role().equals("user") ? "\n- " : "!").append(m.content()));
            return text.append(prompt ? "!" : "").toString();
        });
        ChatEncoder refusing = new ChatEncoder(tokenizer, joined);
        ChatExample example = at(4, ChatMessage.user("One?"), ChatMessage.assistant("1\n"), ChatMessage.user("Two?"),
                ChatMessage.assistant("2"));
        DataException refused = assertThrows(DataException.class, () -> refusing.encode(example));
        assertTrue(refused.getMessage().contains("spans the end of message 2"), refused.getMessage());
    }

    @Test
    void anAnswerThatTheTemplateDoesNotRenderIsRefused() {
        ChatTemplate silent = TestChatTemplate.of((messages, prompt, tools) -> "question ");
        DataException refused = assertThrows(DataException.class, () -> new ChatEncoder(tokenizer, silent)
                .encode(at(2, ChatMessage.user("One?"), ChatMessage.assistant("1"))));
        assertTrue(
                refused.getMessage().startsWith("chats.jsonl:2: the chat template renders message 2 as an empty text"),
                refused.getMessage());
        ChatTemplate empty = TestChatTemplate.of((messages, prompt, tools) -> "");
        assertThrows(DataException.class, () -> new ChatEncoder(tokenizer, empty)
                .encode(at(2, ChatMessage.user("One?"), ChatMessage.assistant("1"))));
    }

    @Test
    void templateErrorsAreReportedWithFileAndLine() {
        ChatTemplate strict = TestChatTemplate.of((messages, prompt, tools) -> {
            if (messages.isEmpty() || !messages.get(0).role().equals("user")) {
                throw new ConfigurationException("conversation must begin with the user");
            }
            return TestChatTemplate.chatMl().render(messages, prompt);
        });
        ChatEncoder refusing = new ChatEncoder(tokenizer, strict);
        DataException refused = assertThrows(DataException.class, () -> refusing.encode(
                at(5, ChatMessage.system("s"), ChatMessage.user("u"), ChatMessage.assistant("a"))));
        assertEquals("chats.jsonl:5: the chat template rejects the conversation: conversation must begin with the user",
                refused.getMessage());
    }

    @Test
    void aLongConversationIsTokenizedOnceAndNotOnceATurn() {
        AtomicLong characters = new AtomicLong();
        ChatEncoder counted = new ChatEncoder(new WordTokenizer(500) {
            @Override
            public synchronized Encoding encodeWithOffsets(String text) {
                characters.addAndGet(text.length());
                return super.encodeWithOffsets(text);
            }
        }, TestChatTemplate.chatMl());
        List<ChatMessage> messages = new ArrayList<>();
        for (int turn = 0; turn < 100; turn++) {
            messages.add(ChatMessage.user("What is the answer to question " + turn + "?"));
            messages.add(ChatMessage.assistant("The answer to question " + turn + " is yes."));
        }
        ChatExample chat = ChatExample.of(messages.toArray(ChatMessage[]::new));
        int length = TestChatTemplate.chatMl().render(messages, false).length();
        assertEquals(100, counted.pieces(chat).stream().filter(ChatEncoder.Piece::learned).count());
        // All of it, and of each answer its header, its end, and the turn before them.
        assertTrue(characters.get() < 2.5 * length, characters + " characters of " + length);
    }

    @Test
    void aSpecialTokenThatStandsForUnknownTextDividesNoText() {
        ChatEncoder chats = new ChatEncoder(new WordTokenizer(500) {
            @Override
            public synchronized Encoding encodeWithOffsets(String text) {
                // What is unknown is one token within a text, and another one where a text begins.
                Encoding plain = super.encodeWithOffsets(text);
                for (int t = 0; t < plain.length(); t++) {
                    boolean unknown = text.charAt(plain.start()[t]) == '\u03bc';
                    plain.ids()[t] = unknown ? t == 0 ? START : END_OF_TEXT : plain.ids()[t];
                }
                return plain;
            }
        }, plain());
        assertEquals("Q:\n\u03bc is?\nA:\n[[A letter.\n]]", chats.preview(ChatExample.of(
                ChatMessage.user("\u03bc is?"), ChatMessage.assistant("A letter."))));
    }

    @Test
    void manyExamplesAreTheSameInTheSameOrderAsOneByOne() {
        List<ChatExample> examples = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            examples.add(at(i + 1, ChatMessage.user("Is it " + i + "?"), ChatMessage.assistant("b ".repeat(i % 7)
                    + "end")));
        }
        int limit = encoder.encode(examples.get(1005)).length();
        List<TokenSequence> single = examples.stream().map(encoder::encode).filter(one -> one.length() <= limit)
                .toList();
        EncodedChats encoded = encoder.encode(ChatDataset.of(examples), limit);
        assertEquals(single.size(), encoded.sequences().size());
        for (int i = 0; i < single.size(); i++) {
            assertArrayEquals(single.get(i).ids(), encoded.sequences().get(i).ids());
            assertArrayEquals(single.get(i).weights(), encoded.sequences().get(i).weights());
        }
        assertEquals(examples.size(), encoded.kept().size() + encoded.tooLong().size());
        examples.set(2100, at(2101, ChatMessage.user("One?"), ChatMessage.assistant("\nFirst.")));
        examples.set(2900, at(2901, ChatMessage.user("One?"), ChatMessage.assistant("\nFirst.")));
        assertEquals(2101, assertThrows(DataException.class, () -> encoder.encode(ChatDataset.of(examples), limit))
                .line());
    }

    @Test
    void overlongExamplesAreListedAndNeverTruncated() {
        ChatExample shortOne = at(1, ChatMessage.user("a"), ChatMessage.assistant("b"));
        ChatExample longOne = at(2, ChatMessage.user("a"), ChatMessage.assistant("b b b b b b b b b b"));
        int limit = encoder.encode(shortOne).length();
        EncodedChats encoded = encoder.encode(ChatDataset.of(List.of(shortOne, longOne, shortOne)), limit);
        assertEquals(2, encoded.sequences().size());
        assertEquals(List.of(shortOne, shortOne), encoded.kept());
        assertEquals(List.of(new EncodedChats.TooLong(longOne, limit + 9)), encoded.tooLong());
        assertEquals(4, encoded.supervisedTokens());
        encoded.sequences().forEach(sequence -> assertEquals(limit, sequence.length()));
    }

    @Test
    void aDataSetWithOnlyOverlongExamplesIsAnError() {
        ChatDataset dataset = ChatDataset.of(List.of(at(1, ChatMessage.user("a"), ChatMessage.assistant("b"))));
        assertTrue(assertThrows(ConfigurationException.class, () -> encoder.encode(dataset, 3)).getMessage()
                .startsWith("all examples (1) are longer than 3 tokens"));
        assertThrows(ConfigurationException.class, () -> encoder.encode(ChatDataset.of(List.of()), 3));
    }

    @Test
    void aDataSetWithoutAnySupervisedTokenIsAnError() {
        ChatDataset dataset = ChatDataset.of(List.of(ChatExample.of(ChatMessage.user("a"), weighted("b", 0))));
        assertTrue(assertThrows(ConfigurationException.class, () -> encoder.encode(dataset, 100)).getMessage()
                .contains("nothing would be learned"));
    }

    @Test
    void anEmptyAnswerIsNotLearned() {
        ChatExample chat = at(3, ChatMessage.user("One?"), ChatMessage.assistant("First."), ChatMessage.user("Two?"),
                ChatMessage.assistant(" "));
        assertTrue(refused(encoder, chat).startsWith("chats.jsonl:3: message 4 is an empty answer"));
        ChatEncoder texts = ChatEncoder.ofTexts(tokenizer);
        for (ChatExample empty : List.of(ChatExample.continuation("The keeper", ""), ChatExample.text("\n"))) {
            assertTrue(refused(texts, empty).contains("is an empty answer; fill it in"));
        }
        ChatMessage call = new ChatMessage("assistant", "", Map.of("tool_calls", List.of(Map.of("id", "1"))));
        ChatExample unlearned = at(1, ChatMessage.user("One?"), weighted("", 0), ChatMessage.user("Two?"),
                ChatMessage.assistant("b"));
        ChatExample called = at(1, ChatMessage.user("One?"), call);
        assertTrue(refused(encoder, called).contains("give the template a form of tool calls, one of [hermes, "));
        ChatTemplate calling = TestChatTemplate
                .of((messages, prompt, tools) -> TestChatTemplate.chatMl().render(messages
                        .stream().map(each -> each.hasToolCalls() ? each.withContent("call") : each).toList(), prompt));
        List<TokenSequence> taken = new ChatEncoder(tokenizer, calling)
                .encode(ChatDataset.of(List.of(called, unlearned)),
                        100)
                .sequences();
        assertEquals(List.of("call<|im_end|>", "b<|im_end|>"), taken.stream().map(this::learned).toList());
        // What is not learned, but scored, may be empty.
        assertEquals(1, texts.encode(ChatExample.continuation("The keeper", "")).supervisedTokens());
    }

    @Test
    void aTextThatTheTokenizerDoesNotTakeIsNamed() {
        WordTokenizer strict = new WordTokenizer(500) {
            @Override
            public synchronized Encoding encodeWithOffsets(String text) {
                throw new FileFormatException(Path.of("tokenizer.json"), "supports texts of up to 5 characters");
            }
        };
        ChatEncoder chats = new ChatEncoder(strict, TestChatTemplate.chatMl());
        ChatExample chat = at(9, ChatMessage.user("One?"), ChatMessage.assistant("First."));
        String expected = "chats.jsonl:9: cannot be encoded: tokenizer.json: supports texts of up to 5 characters";
        assertEquals(expected, assertThrows(DataException.class, () -> chats.encode(chat)).getMessage());
        assertEquals(expected, assertThrows(DataException.class, () -> chats.preview(chat)).getMessage());
        ChatExample text = new ChatExample(ChatExample.text("First.").messages(), List.of(), Map.of(),
                new Origin("chats.jsonl", 9), true);
        assertEquals(expected, assertThrows(DataException.class, () -> ChatEncoder.ofTexts(strict).encode(text))
                .getMessage());
    }

    /** A template without end-of-turn token: each turn is a line. */
    private static ChatTemplate plain() {
        return TestChatTemplate.of((messages, prompt, tools) -> {
            StringBuilder text = new StringBuilder();
            messages.forEach(m -> text.append(m.role().equals("user") ? "Q:\n" : "A:\n").append(m.content())
                    .append('\n'));
            return text.append(prompt ? "A:\n" : "").toString();
        });
    }

    private static String refused(ChatEncoder encoder, ChatExample example) {
        return assertThrows(DataException.class, () -> encoder.encode(ChatDataset.of(List.of(example)), 100))
                .getMessage();
    }

    private String learned(TokenSequence sequence) {
        List<Integer> ids = new ArrayList<>();
        for (int t = 0; t < sequence.length(); t++) {
            if (sequence.weights()[t] != 0) {
                ids.add(sequence.ids()[t]);
            }
        }
        return tokenizer.decode(ids.stream().mapToInt(i -> i).toArray(), false);
    }

    private static ChatMessage weighted(String content, int weight) {
        return new ChatMessage("assistant", content, Map.of("weight", weight));
    }

    private static ChatExample at(long line, ChatMessage... messages) {
        return new ChatExample(List.of(messages), List.of(), Map.of(), new Origin("chats.jsonl", line));
    }
}

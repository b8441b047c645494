package io.peft4j.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.error.DataException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.TestChatTemplate;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.data.example.ChatExample;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What each way of masking learns. */
class MaskingTest {
    private static final ChatExample TALK = ChatExample.of(ChatMessage.user("One?"), ChatMessage.assistant("First."),
            ChatMessage.user("Two?"), ChatMessage.assistant("Second."));

    private final WordTokenizer tokenizer = new WordTokenizer(500);

    @Test
    void theLastTurnAloneOrEverything() {
        String begin = "<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nFirst.<|im_end|>\n<|im_start|>user\n"
                + "Two?<|im_end|>\n<|im_start|>assistant\n";
        assertEquals(begin + "[[Second.<|im_end|>]]\n", encoder(Masking.LAST_TURN).preview(TALK));
        assertEquals("[[" + begin + "Second.<|im_end|>\n]]", encoder(Masking.ALL).preview(TALK));
        TokenSequence all = encoder(Masking.ALL).encode(TALK);
        assertEquals(all.length() - 1, all.supervisedTokens());
    }

    @Test
    void aMessageIsLearnedByItsWeight() {
        ChatExample example = ChatExample.of(ChatMessage.user("One?"),
                new ChatMessage("assistant", "A", Map.of("weight", 0.25)), ChatMessage.user("Two?"),
                ChatMessage.assistant("B"));
        float[] weights = encoder(Masking.ASSISTANT).encode(example).weights();
        double sum = 0;
        for (float weight : weights) {
            sum += weight;
        }
        // A and its end of turn at a quarter, B and its end at one; the powers of two add up exactly.
        assertEquals(2.5, sum);
    }

    @Test
    void aTemplateThatRewritesEarlierTurnsIsLearnedAnswerByAnswer() {
        ChatTemplate forgetful = TestChatTemplate.of((messages, prompt, tools) -> {
            List<ChatMessage> shown = new ArrayList<>();
            for (int i = 0; i < messages.size(); i++) {
                String content = messages.get(i).content();
                boolean last = i == messages.size() - 1;
                shown.add(messages.get(i).withContent(last ? content : content.replaceAll("<t>.*</t>", "")));
            }
            return TestChatTemplate.chatMl().render(shown, prompt);
        });
        ChatExample thoughtful = ChatExample.of(ChatMessage.user("One?"), ChatMessage.assistant("<t>hm</t>First."),
                ChatMessage.user("Two?"), ChatMessage.assistant("<t>so</t>Second."));
        DataException refused = assertThrows(DataException.class,
                () -> new ChatEncoder(tokenizer, forgetful).encode(thoughtful));
        assertEquals(true, refused.getMessage().contains("Learn the last answer of each conversation alone"),
                refused.getMessage());
        List<String> learned = thoughtful.answers().stream()
                .map(answer -> new ChatEncoder(tokenizer, forgetful).preview(answer)).toList();
        assertEquals(List.of("<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\n[[<t>hm</t>First.<|im_end|>]]\n",
                "<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nFirst.<|im_end|>\n<|im_start|>user\nTwo?"
                        + "<|im_end|>\n<|im_start|>assistant\n[[<t>so</t>Second.<|im_end|>]]\n"),
                learned);
        assertEquals(learned.get(1), new ChatEncoder(tokenizer, forgetful, Masking.LAST_TURN).preview(thoughtful));
    }

    @Test
    void aTokenEndingTheConversationIsNotPartOfTheTurn() {
        ChatTemplate phi = TestChatTemplate.of((messages, prompt, tools) -> {
            StringBuilder text = new StringBuilder();
            messages.forEach(m -> text.append(m.role()).append(": ").append(m.content()).append("<|im_end|>"));
            return text.append(prompt ? "assistant:" : "<|endoftext|>").toString();
        });
        assertEquals("user: One?<|im_end|>assistant:[[ First.<|im_end|>]]user: Two?<|im_end|>assistant:[[ Second."
                + "<|im_end|>]]<|endoftext|>", new ChatEncoder(tokenizer, phi).preview(TALK));
    }

    private ChatEncoder encoder(Masking masking) {
        return new ChatEncoder(tokenizer, TestChatTemplate.chatMl(), masking);
    }
}

package io.peft4j.serve.console;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.serve.FineTuningServer;
import io.peft4j.serve.FineTuningServerBuilder;
import io.peft4j.serve.answer.AnsweringOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * The console in a real browser: {@code -Dpeft4j.serve.browser=/usr/bin/chromium}. Pictures of all pages are left below
 * {@code target/console}.
 */
class ConsoleTest {
    private static final Path MODEL = Path.of("../../tests/fixtures/tiny-llama");
    private static final Path PICTURES = Path.of("target/console");
    private static final List<String> PAGES = List.of("jobs", "new", "files", "playground", "decisions", "models");
    private static final String ROWS = rows(IntStream.range(0, 12));

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;
    private BaseModel base;
    private FineTuningServer server;
    private Browser browser;

    private static String rows(IntStream boxes) {
        return boxes.mapToObj(i -> "{\"messages\":[{\"role\":\"user\","
                + "\"content\":\"Where is box " + i + "?\"},{\"role\":\"assistant\",\"content\":"
                + "\"In room " + i * 7 % 12 + ".\"}]}").collect(Collectors.joining("\\n"));
    }

    private void start(FineTuningServerBuilder builder) throws IOException, InterruptedException {
        Files.createDirectories(PICTURES);
        server = builder.port(0).start();
        browser = new Browser(System.getProperty("peft4j.serve.browser"),
                Files.createDirectory(folder.resolve("profile")));
        browser.window(1280, 900, false);
    }

    private FineTuningServerBuilder builder() {
        base = BaseModel.load(MODEL.toString(), ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
        return FineTuningServer.builder(base, folder.resolve("data"));
    }

    @AfterEach
    void close() {
        List.<AutoCloseable>of(browser, server, base).forEach(one -> {
            try {
                one.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private void type(String selector, String value) {
        browser.evaluate("(() => { const field = document.querySelector('" + selector + "'); field.value = '" + value
                + "'; field.dispatchEvent(new Event('input', {bubbles: true})); })()");
    }

    /** Takes a picture of the page, which must be free of barriers. */
    private void picture(String name) throws IOException {
        browser.screenshot(PICTURES.resolve(name));
        assertEquals(List.of(), browser.barriers(), name);
    }

    private void upload(String name) {
        upload(name, ROWS);
    }

    private void upload(String name, String rows) {
        browser.await("document.querySelector('#upload')");
        browser.evaluate("(() => { const files = new DataTransfer(); files.items.add(new File(['" + rows + "'], '"
                + name + "')); const field = document.querySelector('#upload'); field.files = files.files; "
                + "field.dispatchEvent(new Event('change')); })()");
    }

    @Test
    void aJobIsStartedWatchedAndTriedFromTheBrowserAlone() throws IOException, InterruptedException {
        start(builder());
        browser.open(server.url() + "/#/new");
        upload("boxes.jsonl");
        browser.await("document.querySelector('#training option')");
        type("#suffix", "boxes");
        type("#n_epochs", "2");
        type("#batch_size", "4");
        browser.evaluate("document.querySelector('main form').requestSubmit()");
        browser.await("location.hash.startsWith('#/jobs/ftjob-')");
        browser.await("document.querySelector('.state')?.textContent === 'succeeded'");
        browser.await("document.querySelector('.plot path.first')");
        browser.await("document.body.innerText.includes('Download step_metrics.csv')");
        picture("job.png");
        browser.evaluate("document.querySelector('main a.button').click()");
        browser.await("document.querySelector('#prompt')");
        assertTrue(browser.evaluate("document.querySelector('#second-model').value").asText().contains(":boxes:"));
        type("#prompt", "Where is box 3?");
        type("#tokens", "8");
        browser.evaluate("document.querySelector('main form').requestSubmit()");
        browser.await("[...document.querySelectorAll('.card .hint')].every(hint => / s/.test(hint.textContent))");
        picture("playground.png");
        browser.open(server.url() + "/#/models");
        browser.await("document.querySelectorAll('[aria-label=\"Last answers\"] svg.parts rect').length === 6");
        String answer = browser.evaluate("document.querySelector('[aria-label=\"Last answers\"] tbody').textContent")
                .asText();
        assertTrue(answer.matches("(?s).*completed.*queue \\d.*, prompt \\d.*, tokens \\d.*"), answer);
        picture("answers.png");
        assertEquals(List.of(), browser.errors());
    }

    @Test
    void aFinishedJobShowsItsVerdictItsMetricsAndTheRowsOfItsFindings() throws IOException, InterruptedException {
        start(builder());
        browser.open(server.url() + "/#/new");
        upload("held-out.jsonl", rows(IntStream.range(12, 18)));
        browser.await("document.querySelectorAll('#validation option').length === 2");
        upload("boxes.jsonl", rows(IntStream.concat(IntStream.range(0, 12), IntStream.range(0, 9))));
        browser.await("document.querySelectorAll('#training option').length === 2");
        browser.evaluate("(() => { for (const [field, name] of [['training', 'boxes'], ['validation', 'held-out']]) "
                + "document.getElementById(field).value = [...document.querySelectorAll(`#${field} option`)]"
                + ".find(one => one.textContent.startsWith(name)).value; })()");
        assertTrue(browser.evaluate("document.querySelector('#seed-hint').textContent").asText().contains("Empty: 42"));
        type("#n_epochs", "1");
        browser.evaluate("document.querySelector('main form').requestSubmit()");
        browser.await("document.body.innerText.includes('Download verdict.json')");

        String cells = "[...document.querySelectorAll('[aria-label=%s] tbody tr')].map(row => "
                + "[...row.cells].map(cell => cell.textContent).join('|')).join('\\n')";
        String headings = browser.evaluate("[...document.querySelectorAll('h2')].map(one => one.textContent).join()")
                .asText();
        assertTrue(headings.matches(
                ".*Verdict: (ship|do not ship|need more items|harm not known|prompt instead).*"), headings);
        String metrics = browser.evaluate(cells.formatted("Metrics")).asText();
        assertTrue(metrics.lines().anyMatch(row -> row.startsWith("chrf|")), metrics);
        for (String row : metrics.split("\n")) {
            double base = Double.parseDouble(row.split("\\|")[1].replace(" %", ""));
            assertTrue(base >= 0 && base <= 100 && row.contains("%") == !row.matches("(bleu|chrf)\\|.*"), row);
        }
        List<String> findings = browser.evaluate(cells.formatted("Findings")).asText().lines()
                .filter(row -> row.contains("are the same example")).toList();
        assertEquals(1, findings.size(), "nine findings of one kind");
        assertTrue(findings.get(0).startsWith("warning|training_file|1, 2, 3, 4, 5 and 13 more|lines 1, 13 are "
                + "the same example; 8 more of this kind|"), findings.get(0));
        Files.createDirectories(PICTURES);
        browser.window(1280, 2400, false);
        picture("job-over.png");
        assertEquals(List.of(), browser.errors());
    }

    @Test
    void aJobsPageOpensWithItsVerdictThenTheLossAndFoldsTheRest() throws IOException, InterruptedException {
        start(builder());
        browser.open(server.url() + "/#/new");
        upload("held-out.jsonl", rows(IntStream.range(12, 18)));
        browser.await("document.querySelectorAll('#validation option').length === 2");
        upload("boxes.jsonl");
        browser.await("document.querySelectorAll('#training option').length === 2");
        choose("training", "boxes");
        choose("validation", "held-out");
        type("#n_epochs", "1");
        browser.evaluate("document.querySelector('#remember').click()");
        browser.evaluate("document.querySelector('main form').requestSubmit()");
        browser.await("document.body.innerText.includes('Download verdict.json')");

        assertEquals("true", browser.evaluate("fetch('/v1/fine_tuning/jobs/' + location.hash.slice(7)).then(reply => "
                + "reply.json()).then(job => String(job.method.supervised.hyperparameters.remember))").asText());
        String top = "document.querySelector('%s').getBoundingClientRect().top";
        assertTrue(browser.evaluate(top.formatted(".verdict h2") + " < " + top.formatted("svg[aria-label^=Loss]")
                + " && " + top.formatted("svg[aria-label^=Loss]") + " < " + top.formatted("main > details"))
                .asBoolean());
        assertEquals("base,few-shot,lookup,tuned",
                browser.evaluate("[...document.querySelectorAll('.verdict .plot text[text-anchor]')]"
                        + ".map(one => one.textContent).join()").asText(),
                "a bar of each");
        assertTrue(browser.evaluate("document.querySelector('svg[aria-label^=Loss]').clientWidth > "
                + "document.querySelector('main').clientWidth - 40").asBoolean(), "the whole width");
        assertEquals("Settings,Checkpoints,Events", browser.evaluate("[...document.querySelectorAll('main > details')]"
                + ".filter(one => !one.open).map(one => one.querySelector('summary').textContent).join()").asText());
        browser.evaluate("document.querySelector('#merged').click()");
        browser.await("document.querySelector('#merged').textContent.startsWith('Merging')");
        browser.await("document.querySelector('#merged').textContent.startsWith('Download')");
        assertEquals(1, browser.requests().stream().filter(url -> url.endsWith("/merged?type=q8_0")).count());
        String page = browser.evaluate("location.href").asText();
        browser.window(400, 800, true);
        browser.open("about:blank");
        browser.open(page);
        browser.await("document.querySelector('.verdict .plot')");
        assertTrue(browser.evaluate("document.documentElement.scrollWidth <= innerWidth").asBoolean());
        picture("job-phone.png");
        assertEquals(List.of("data_report.html", "training.html", "verdict.html"), reports());
        assertEquals(List.of(), browser.errors());
    }

    /** The names of the pages that jobs have left; each must be free of barriers and fit a phone, light and dark. */
    private List<String> reports() throws IOException {
        List<Path> pages;
        try (Stream<Path> files = Files.walk(folder.resolve("data"))) {
            pages = files.filter(file -> file.toString().endsWith(".html")).toList();
        }
        for (Path page : pages) {
            browser.open(page.toUri().toString());
            for (int width : new int[] {1280, 400}) {
                for (boolean dark : new boolean[] {false, true}) {
                    browser.window(width, 900, dark);
                    String name = page.getFileName() + "-" + width + (dark ? "-dark" : "") + ".png";
                    assertTrue(browser.evaluate("document.documentElement.scrollWidth <= innerWidth").asBoolean(),
                            name);
                    picture(name);
                }
            }
        }
        return pages.stream().map(page -> page.getFileName().toString()).sorted().toList();
    }

    private void choose(String field, String beginning) {
        browser.evaluate("(() => { const field = document.getElementById('" + field + "'); field.value = "
                + "[...field.options].find(one => one.textContent.startsWith('" + beginning + "')).value; "
                + "field.dispatchEvent(new Event('change')); })()");
    }

    @Test
    void aTableIsMappedAndAHandbookReviewedUntilTheyAreTrainingFiles() throws IOException, InterruptedException {
        start(builder());
        browser.open(server.url() + "/#/new");
        upload("fragen.csv", "Nr;Frage;Antwort\\n" + IntStream.range(0, 12).mapToObj(i -> i + ";Wo ist Kiste " + i
                + "?;In Raum " + i + ".").collect(Collectors.joining("\\n")));
        browser.await("document.querySelector('#save-rows')");
        assertEquals(",question,answer", browser.evaluate("[...document.querySelectorAll('[id^=column-]')].map(one => "
                + "one.value).join()").asText());
        assertEquals(3, browser.evaluate("document.querySelectorAll('[aria-label=\"First rows\"] tbody tr').length")
                .asInt());
        choose("column-2", "as it is");
        browser.await("document.querySelector('#rows-problem')?.textContent.includes('12 of 12')");
        choose("column-2", "answer");
        browser.await("document.querySelector('#save-rows') && !document.querySelector('#rows-problem')");
        picture("columns.png");
        browser.evaluate("document.querySelector('#save-rows').click()");
        browser.await("[...document.querySelectorAll('#training option')].some(one => "
                + "one.textContent.startsWith('fragen.jsonl'))");

        upload("handbook.md",
                "# Shifts\\nThe early shift starts at 6:00. Never park near door 4, says Ann, whatever.\\n"
                        + "# Where are keys?\\nAt the gate.\\n");
        browser.await("document.querySelector('#questions-of-2')");
        assertEquals(
                "handbook.md: 2 questions in 8 rows|2 of 3 statements have a question. 2 wordings of them are held "
                        + "out in a second file.|Use the 8 rows with a question",
                browser.evaluate("['h2', '.hint', '#save-rows']"
                        + ".map(one => document.querySelector('section ' + one).textContent).join('|')").asText());
        type("#questions-of-2", "Where do cars stay?");
        picture("review.png");
        browser.evaluate("document.querySelector('#save-rows').click()");
        browser.await("document.querySelectorAll('#training option').length === 3");
        assertEquals("fragen.jsonl,handbook.jsonl,heldout-handbook.jsonl", browser.evaluate("fetch('/v1/files')"
                + ".then(reply => reply.json()).then(list => list.data.map(one => one.filename).sort().join())")
                .asText(),
                "what they were made of is gone");
        assertTrue(browser.evaluate("document.querySelector('#validation').selectedOptions[0].textContent").asText()
                .startsWith("heldout-handbook.jsonl"));
        assertEquals(List.of(), browser.errors());
    }

    @Test
    void aBrokenFileIsMarkedAndNotChosenAndAFailedJobSaysWhy() throws IOException, InterruptedException {
        start(builder());
        browser.open(server.url() + "/#/new");
        upload("broken.jsonl", "{\"messages\": [");
        browser.await("document.querySelector('#training option')?.textContent.includes('broken: line 1')");
        assertEquals("", browser.evaluate("document.querySelector('#training').value").asText());
        upload("few.jsonl", rows(IntStream.range(0, 3)));
        browser.await("document.querySelectorAll('#training option').length === 2");
        assertTrue(browser.evaluate("document.querySelector('#training').selectedOptions[0].textContent").asText()
                .startsWith("few.jsonl"));
        browser.evaluate("document.querySelector('main form').requestSubmit()");
        browser.await("document.querySelector('[aria-label=\"Why it failed\"]')?.innerText.includes("
                + "'must have at least 10')");
        browser.evaluate("location.hash = '#/jobs'");
        browser.await("document.querySelector('td .error')?.textContent.includes('must have at least 10')");
        browser.evaluate("location.hash = '#/files'");
        browser.await("document.querySelector('td .error')?.textContent.includes('broken: line 1')");
        for (String cell : List.of("few.jsonl", "fine-tune")) {
            assertEquals(1, browser.evaluate("(() => { const cell = [...document.querySelectorAll('td')].find(one => "
                    + "one.textContent === '" + cell + "'); const range = document.createRange(); "
                    + "range.selectNodeContents(cell); return range.getClientRects().length; })()").asInt(), cell);
        }
        browser.window(400, 800, false);
        picture("files-phone.png");
        assertEquals(List.of(), browser.errors());
    }

    @Test
    void preferencesLabelsAndRewardsHaveFormsOfTheirOwn() throws IOException, InterruptedException {
        start(builder());
        browser.open(server.url() + "/#/new");
        upload("prompts.jsonl", IntStream.range(0, 12).mapToObj(i -> "{\"question\":\"Where is box " + i
                + "?\",\"answer\":\"In room " + i + "\"}").collect(Collectors.joining("\\n")));
        browser.await("document.querySelector('#training option')");
        choose("method", "The better");
        assertTrue(browser.evaluate("document.querySelector('#beta') && !document.querySelector('#remember')")
                .asBoolean());
        choose("method", "Labels");
        assertTrue(browser.evaluate("Boolean(document.querySelector('#remember'))").asBoolean());
        choose("method", "What a grader");
        browser.evaluate("document.querySelector('#add-grader').click()");
        choose("grader-1", "The answer is like");
        type("#weight-0", "0.8");
        type("#weight-1", "0.2");
        type("#sample", "In room 0, I think.");
        browser.evaluate("document.querySelector('#try-grader').click()");
        browser.await("document.querySelector('#reward').textContent.startsWith('Reward 0.9')");
        picture("grader.png");
        type("#compute_multiplier", "0.25");
        type("#n_epochs", "1");
        browser.evaluate("document.querySelector('main form').requestSubmit()");
        browser.await("location.hash.startsWith('#/jobs/ftjob-')");
        assertEquals("reinforcement multi 0.25", browser.evaluate("fetch('/v1/fine_tuning/jobs/' + "
                + "location.hash.slice(7)).then(reply => reply.json()).then(({ method }) => [method.type, "
                + "method.reinforcement.grader.type, method.reinforcement.hyperparameters.compute_multiplier]"
                + ".join(' '))").asText());
        assertEquals(List.of(), browser.errors());
    }

    @Test
    void questionsAboutATextGetABarForEachOption() throws IOException, InterruptedException {
        try (BaseModel vectors = BaseModel.load(MODEL.resolveSibling("sentences/mean-normalized").toString())) {
            start(builder().answering(AnsweringOptions.defaults().withModel("vectors", vectors)));
            askQuestions();
            server.close();
        }
    }

    private void askQuestions() throws IOException {
        browser.open(server.url() + "/#/decisions");
        browser.await("document.querySelector('#question-0')");
        assertEquals("tiny-llama", browser.evaluate("[...document.querySelectorAll('#decision-model option')]"
                + ".map(one => one.value).join()").asText(), "the other one gives vectors");
        type("#state", "I was charged twice <b>");
        type("#question-0", "Which team?");
        type("#options-0", "billing: Invoices\\nlogin\\n<i>other");
        browser.evaluate("document.querySelector('main form').requestSubmit()");
        browser.await("document.querySelectorAll('meter').length === 3");
        String bars = "[...document.querySelectorAll('.card label')].map(one => one.textContent).join('|')";
        assertTrue(
                browser.evaluate(bars).asText().matches("billing, [\\d.]+ %\\|login, [\\d.]+ %\\|<i>other, [\\d.]+ %"),
                browser.evaluate(bars).asText());
        assertEquals(1,
                browser.evaluate("[...document.querySelectorAll('meter')].reduce((sum, one) => sum + one.value, "
                        + "0)").asDouble(),
                1e-6);
        browser.evaluate("document.querySelector('#add').click()");
        type("#question-1", "How urgent?");
        browser.evaluate("(() => { const kind = document.querySelector('#kind-1'); kind.value = 'score'; "
                + "kind.dispatchEvent(new Event('change')); })()");
        type("#options-1", "low\\nhigh: today");
        browser.evaluate("document.querySelector('main form').requestSubmit()");
        browser.await("document.querySelectorAll('meter').length === 5");
        picture("decisions.png");
        assertEquals(List.of(), browser.errors());
    }

    @Test
    void pagesAreFreeOfErrorsAndForeignRequestsLabelledAndFitAPhone() throws IOException,
            InterruptedException {
        start(builder());
        Files.createDirectories(PICTURES);
        browser.open(server.url() + "/#/files");
        upload("a-file-whose-name-is-long-enough-to-need-two-lines-on-a-phone-and-then-some-more.jsonl");
        browser.await("document.querySelector('td')");
        for (int width : new int[] {1280, 390}) {
            for (boolean dark : new boolean[] {false, true}) {
                browser.window(width, 900, dark);
                for (String page : PAGES) {
                    browser.open("about:blank");
                    browser.open(server.url() + "/#/" + page);
                    browser.await("document.querySelector('h1') && document.querySelector('main').children.length > 1");
                    String name = page + "-" + width + (dark ? "-dark" : "");
                    assertTrue(browser.evaluate("document.documentElement.scrollWidth <= innerWidth").asBoolean(),
                            name);
                    assertEquals("", browser.evaluate("[...document.querySelectorAll('input, select, textarea')]"
                            + ".filter(field => field.labels.length === 0).map(field => field.id).join()").asText(),
                            name);
                    assertEquals(0, browser.evaluate("[...document.querySelectorAll('button, a')].filter(one => "
                            + "!one.textContent.trim() && !one.getAttribute('aria-label')).length").asInt(), name);
                    picture(name + ".png");
                }
            }
        }
        assertEquals(List.of(), browser.errors());
        assertEquals(List.of(), browser.requests().stream().filter(url -> !url.startsWith(server.url())
                && !url.startsWith("about:")).toList());
    }

    @Test
    void consoleAsksForTheKeyOnceRefusesAWrongOneShowsNothingBefore() throws IOException, InterruptedException {
        start(builder().apiKey("sesame-open"));
        browser.open(server.url() + "/");
        browser.await("document.querySelector('#key-dialog').open");
        assertEquals(0, browser.evaluate("document.querySelectorAll('main table').length").asInt());

        type("#key", "sesame-shut");
        browser.evaluate("document.querySelector('#key-dialog form').requestSubmit()");
        browser.await("document.querySelector('#key-dialog').open "
                + "&& document.querySelector('#key-refused').innerText.includes('The server refused this key')");

        type("#key", "sesame-open");
        browser.evaluate("document.querySelector('#key-dialog form').requestSubmit()");

        browser.await("document.body.innerText.includes('There are no jobs yet')");
        browser.evaluate("location.hash = '#/models'");
        browser.await("document.querySelector('main td')");
        assertEquals(false, browser.evaluate("document.querySelector('#key-dialog').open").asBoolean());
    }
}

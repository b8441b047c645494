package io.peft4j.data.near;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sentences end where they do, and not behind abbreviations, initials and ordinal numbers. */
class SentencesTest {
    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', textBlock = """
            en ; Dr. Helga Brandt leads the ward.|She starts at 6:00.
            en ; Call Mr. J. R. Smith first.|He has the key.
            en ; Use gloves, e.g. those in room No. 5.|Then wash.
            en ; The share is 3.5 % of the pay.|It rises in May.
            en ; It opens at 9 a.m. on Mondays.|It closes at 5 p.m.|Guests leave then.
            en ; See https://www.example.com/a.b for more.|Ask the desk.
            en ; He waited ... and left.|She stayed.
            en ; Forms, keys, etc. are at the desk.|Bring them back.
            en ; The firm Acme Inc. pays.|Others do not.
            en ; Martin King Jr. spoke first.|The others followed.
            en ; Is it open?|Yes, it is.
            en ; Stop!|Do not enter.
            en ; Section 4.2 applies.|Section 5 does not.
            en ; The parcel weighs approx. 3 kg.|Two people lift it.
            en ; Rooms are on Fig. 3.|Doors are not.
            en ; Prof. A. Miller and Dr. B. Jones agree.|So do we.
            en ; The plan starts on Jan. 5 this year.|It ends in June.
            en ; "Leave now."|The guard said so.|We left.
            de ; Dr. Helga Brandt leitet die Station.|Sie beginnt um 6 Uhr.
            de ; Das gilt z. B. f\u00fcr die Nachtschicht.|Es gilt nicht f\u00fcr alle.
            de ; Anmeldung bzw. Abmeldung sind Pflicht.|Das Formular liegt bereit.
            de ; Am 3. M\u00e4rz beginnt der Kurs.|Er endet am 5. April.
            de ; Der Aufenthaltsraum ist im 2. Stock.|Die K\u00fcche ist im 1. Stock.
            de ; Frau Prof. Dr. Anna K. Weber unterschreibt.|Danach wird gepr\u00fcft.
            de ; Zahlen Sie ca. 3,5 % Zins.|Die Rate ist fest.
            de ; Siehe Abs. 2 und Art. 5 des Vertrags.|Dort steht die Frist.
            de ; Die Schicht endet um 14.30 Uhr.|Danach ist \u00dcbergabe.
            de ; Bringen Sie Stift, Papier usw. mit.|Der Rest liegt aus.
            de ; Fragen Sie ggf. Hrn. Meier.|Er hilft gern.
            de ; Das sind d. h. nur die Mitarbeiter.|Andere nicht.
            de ; Rufen Sie Tel. 112 an.|Warten Sie.
            de ; Die Kosten tr\u00e4gt i. d. R. der Betrieb.|Es gibt Ausnahmen.
            de ; Der 1. Vorsitzende unterschreibt.|Der 2. Vorsitzende pr\u00fcft.
            de ; Es gibt 12 B\u00fcros.|Das ist Nr. 5.|Es ist leer.
            fr ; M. Dupont ouvre la porte.|Il arrive \u00e0 6 h.
            fr ; Mme. Durand et Mlle. Petit signent.|Elles partent.
            fr ; Voir l'art. 5 du contrat.|Il est court.
            fr ; Le taux est de 3.5 % par an.|Il monte.
            fr ; Apportez stylos, papier, etc. au bureau.|Merci.
            fr ; Le Dr. J. Martin r\u00e9pond.|Appelez-le.
            fr ; Le 3 mars commence le cours.|Il finit en avril.
            fr ; Voyez p. ex. la page 4.|Elle suffit.
            fr ; Est-ce ouvert ?|Oui.
            fr ; Le si\u00e8ge est 12, av. Foch.|Entrez.
            es ; El Sr. P\u00e9rez abre la puerta.|Llega a las 6.
            es ; La Dra. Ana M. L\u00f3pez firma.|Luego sale.
            es ; V\u00e9ase la p\u00e1g. 4 del manual.|Es breve.
            es ; Traiga papel, l\u00e1piz, etc. a la sala.|Gracias.
            es ; La tasa es de 3.5 % al a\u00f1o.|Sube en mayo.
            es ; \u00bfEst\u00e1 abierto?|S\u00ed, lo est\u00e1.
            es ; Use guantes, p. ej. los azules.|Luego lave.
            es ; Dijo que no.|Luego sali\u00f3.
            es ; La sede est\u00e1 en EE.UU. desde mayo.|Es grande.
            es ; El art. 5 lo dice.|Nadie lo lee.
            it ; Il Sig. Rossi apre la porta.|Arriva alle 6.
            it ; La Dott.ssa Bianchi firma.|Poi esce.
            it ; Vedi pag. 4 del manuale.|\u00c8 breve.
            it ; Portare penne, carta, ecc. in sala.|Grazie.
            it ; Il tasso \u00e8 del 3.5 % annuo.|Sale a maggio.
            it ; Chiamare il Prof. M. Verdi.|Lui sa.
            it ; \u00c8 aperto?|S\u00ec.
            it ; Si veda l'art. 5 del contratto.|Vale per tutti.
            pt ; O Sr. Silva abre a porta.|Chega \u00e0s 6.
            pt ; A Dra. Ana P. Costa assina.|Depois sai.
            pt ; Veja a p\u00e1g. 4 do manual.|\u00c9 breve.
            pt ; Traga papel, l\u00e1pis, etc. para a sala.|Obrigado.
            nl ; De dhr. Jansen opent de deur.|Hij komt om 6 uur.
            nl ; Neem bijv. handschoenen mee.|Was daarna uw handen.
            nl ; Zie art. 5 en blz. 4 van het boek.|Het is kort.
            nl ; Pennen, papier, enz. liggen klaar.|Dank u.
            """)
    void aTextIsCutWhereItsSentencesEnd(String language, String sentences) {
        assertEquals(List.of(sentences.split("\\|")), Sentences.of(sentences.replace('|', ' '), language));
    }
}

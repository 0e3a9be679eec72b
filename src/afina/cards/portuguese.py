"""Cards in Portuguese."""

from __future__ import annotations

from .words import Words

WORDS = Words(
    "pt",
    ",",
    "\u00a0",
    {
        "example": ("exemplo", "exemplos"),
        "label": ("etiqueta", "etiquetas"),
        "type": ("tipo", "tipos"),
        "epoch": ("época", "épocas"),
        "step": ("passo", "passos"),
        "file": ("ficheiro", "ficheiros"),
        "token": ("token", "tokens"),
    },
    {
        # What it is.
        "is.label": "Dá a um texto uma de {labels}.",
        "is.label.pair": "Dá a um par de textos uma de {labels}.",
        "is.labels": "Dá a um texto qualquer número de {labels}, ou nenhuma delas.",
        "is.labels.pair": "Dá a um par de textos qualquer número de {labels}, ou nenhuma delas.",
        "is.number": "Dá um número a um texto.",
        "is.number.pair": "Dá um número a um par de textos.",
        "is.entities": "Marca entidades de {types} num texto.",
        "is.tags": "Dá a cada palavra de um texto uma de {labels}.",
        "is.answer": "Marca o trecho de uma passagem que responde a uma pergunta, ou diz que não há nenhum.",
        "is.other": "Dá isto: {summary}.",
        "fine-tuned": "Foi afinado com o afina; a sua base é {base}.",
        "local": "{base}, uma pasta local",
        "from random": "Tem a arquitetura de {base} e começou com pesos aleatórios; nada foi pré-treinado.",
        "labels": "Etiquetas: {labels}.",
        "more": "{shown} e mais {count}",
        # How to use it.
        "use": "Como usar",
        "use.where": "Os programas correm nesta pasta tal como estão. Noutro sítio, ponha o caminho da pasta, ou o seu "
        "nome no hub, em vez do ponto.",
        "use.afina": "Com o afina (`pip install afina`):",
        "use.transformers": "Só com o transformers, que calcula os mesmos logits:",
        "use.temperature": "As probabilidades do afina são as da temperatura {temperature}, ajustada aos dados de "
        "validação; as do transformers são as da temperatura 1. As respostas são as mesmas.",
        "use.thresholds": "O afina dá uma etiqueta a partir de um limiar próprio, ajustado aos dados de validação (em "
        "`afina.json`); com o transformers a escolha é sua.",
        "use.windows": "O afina lê textos mais longos em janelas de {tokens}; o programa acima corta-os.",
        "use.spans": "O afina só admite palavras inteiras e sequências válidas de marcas; o transformers junta tokens "
        "pelas suas marcas, e as entidades podem ter outros limites.",
        "use.answer": "O afina pesa também que não haja resposta, e lê passagens mais longas em janelas; o programa "
        "acima não faz nenhuma das duas coisas.",
        "use.other": "O que os logits querem dizer sabe-o a tarefa `{task}`, que outro pacote traz ao afina.",
        "use.head": "A cabeça `{head}` é própria do afina, por isso outros programas não dão as respostas do modelo. O "
        "codificador que está por baixo é um modelo comum:",
        "use.pair_as": "O modelo não lê os dois textos de um par tal como são (`pair_as: {how}`), o que o afina faz "
        "por si; não se mostra um programa para o transformers.",
        "sample": "Um texto que o modelo não viu.",
        "sample.second": "Um segundo texto ao lado.",
        "sample.question": "Onde vive a Ana?",
        "sample.passage": "A Ana vive no Porto.",
        # Scores.
        "scores": "Resultados",
        "scores.test": "Nos dados de teste, {examples}, que foram avaliados uma só vez e não escolheram nada:",
        "scores.validation": "Nos dados de validação, {examples}, que escolheram a época, pelo que estes resultados "
        "são otimistas:",
        "metric": "métrica",
        "model": "modelo",
        "interval": "intervalo de 95 %",
        "constant": "resposta constante",
        "TF-IDF linear": "TF-IDF, linear",
        "scores.beside": "Ao lado do modelo está o que nada custa, nos mesmos exemplos: {beside}.",
        "beside.constant": "a mesma resposta para tudo ({name})",
        "beside.linear": "um modelo linear sobre TF-IDF",
        "scores.alone": "Nenhuma referência foi avaliada.",
        "scores.down": "↓: quanto menor, melhor.",
        "scores.without": "Sem intervalo: {reasons}.",
        "scores.by label": "Por etiqueta, nos mesmos exemplos{which}:",
        "scores.chosen": " (as mais comuns e as piores; todas estão em `run.json`)",
        "label": "etiqueta",
        "calibration": "Quão honestas são as confianças, nos mesmos exemplos: {scores}.",
        "recalibrated": "Desde então as probabilidades foram reajustadas, com {examples} (temperatura {temperature}). "
        "As respostas e as suas pontuações são as mesmas; a log loss e as outras medidas de probabilidades não.",
        "calibration_error": "erro de calibração",
        "calibration_error_equal_counts": "erro de calibração com classes de igual tamanho",
        "log_loss": "log loss",
        "brier_score": "Brier",
        # Data.
        "data": "Dados",
        "part": "parte",
        "train": "treino",
        "validation": "validação",
        "test": "teste",
        "examples": "exemplos",
        "left out": "deixados de fora",
        "source": "de",
        "source.memory": "dados em memória",
        "source.held": "separados de {source}",
        "source.more": "{first} e mais {files}",
        "columns": "Colunas: {columns}.",
        "data.language": "As palavras dos textos de treino parecem ser de {language} (uma suposição).",
        "data.unknown": "A língua dos textos de treino não foi reconhecida.",
        "data.labels": "Etiquetas em cada parte{which}:",
        "data.chosen": " (as {count} mais comuns de {all})",
        "data.licence": "O afina não sabe de onde mais vêm os dados, quem os etiquetou, nem qual é a sua licença.",
        # Limits.
        "unit.entities": "entidades",
        "unit.tags": "etiquetas",
        "unit.answers": "respostas",
        "unit.items": "coisas",
        "limits": "Limites",
        "limit.no test": "Não houve dados de teste. Os resultados são os dos dados de validação, que escolheram a "
        "época.",
        "limit.drawn": "Os resultados valem para textos como os dos dados de {split}. Nada foi medido em textos de "
        "outro género, tempo, região ou língua.",
        "limit.groups": "Não foi medido se o modelo trata grupos de pessoas de forma diferente, nem como suporta "
        "textos com erros ou manipulados.",
        "limit.label": "O modelo só conhece as suas {labels}, e dá uma delas a tudo, também ao que não cabe em "
        "nenhuma.",
        "limit.labels": "O modelo só conhece as suas {labels}.",
        "limit.entities": "O modelo só conhece entidades dos seus {types}; todas as outras ficam por marcar.",
        "limit.tags": "O modelo só conhece as suas {labels}, e dá uma delas a cada palavra.",
        "limit.number": "O modelo dá um número a tudo, também ao que não faz sentido.",
        "limit.answer": "O modelo só pode responder com trechos da passagem, e não por palavras suas.",
        "limit.other": "O modelo só conhece o que os dados de treino mostraram.",
        "limit.truncated": "{count} de {examples} ({share}) dos dados de {split} têm mais de {tokens} e perderam "
        "{lost}.",
        "limit.whole": "Nenhum dos dados de {split} tem mais de {tokens}; textos mais longos são cortados.",
        "limit.slides": "O que tem mais de {tokens} é lido em janelas que se sobrepõem.",
        "limit.gold": "{lost} de {gold} {unit} dos dados de {split} não podem ser previstas, seja qual for o modelo: "
        "por causa das janelas ou de limites dentro de tokens.",
        "limit.few": "Os dados de {split} só têm {examples}, o que diz pouco.",
        "limit.rare": "Menos de {few} exemplos de treino: {labels}.",
        "limit.unbalanced": "As etiquetas estão desequilibradas: {most} tem {times} vezes tantos exemplos de treino "
        "como {least}.",
        "limit.rarely scored": "Menos de {few} exemplos nos dados de {split}, pelo que os seus próprios resultados "
        "dizem pouco: {labels}.",
        "limit.never": "Nunca previstas nos dados de {split}: {labels}.",
        "limit.leak": "{examples} dos dados de validação ou de teste estão também nos de treino, ou quase; os "
        "resultados são melhores por isso.",
        "limit.chosen on": "{examples} dos dados de teste estão também nos de validação, que escolheram a época.",
        "limit.below": "Não é melhor do que aquilo que nada custa, nos dados de {split}.",
        "limit.near": "Os dados de {split} não mostram que seja melhor do que aquilo que nada custa.",
        "limit.constant": "Dá a mesma resposta a todos os dados de {split}.",
        "limit.nothing right": "Nenhuma das suas respostas nos dados de {split} está certa.",
        "limit.warned": "O afina avisou também de: {codes} (as palavras estão em `run.json`).",
        "limit.labels taken": "As etiquetas foram tomadas como são; não se procurou se algumas estão erradas.",
        "limit.confidence": "As confianças não foram medidas contra a verdade.",
        "limit.seed": "É um só treino com uma só semente ({seed}); não foi medido quanto muda com outra.",
        # Training.
        "training": "Treino",
        "setting": "definição",
        "value": "valor",
        "strategy": "estratégia",
        "head": "cabeça",
        "head.native": "a própria da família",
        "trained": "parâmetros treinados",
        "frozen": "parâmetros congelados",
        "epochs": "épocas",
        "epochs.best": "{taken} passos; os pesos são os de depois da época {best}",
        "batch": "exemplos por passo",
        "rate": "taxa de aprendizagem",
        "schedule": "evolução da taxa",
        "decay": "decaimento dos pesos",
        "max_length": "tokens de uma entrada, no máximo",
        "precision": "aritmética",
        "seed": "semente",
        "metric.chose": "métrica que escolheu a época",
        "versions": "versões",
        # Cost.
        "cost": "Custo",
        "cost.time": "{whole} ao todo, {train} em passos de treino, em {device}.",
        "cost.device.cpu": "{threads} de um CPU ({name})",
        "cost.device": "{name} ({device})",
        "cost.threads": "fios",
        "cost.thread": "fio",
        "cost.flops": "{flops} operações de vírgula flutuante de treino.",
        "cost.tokens": "{tokens} passaram pelo codificador.",
        "cost.memory": "{memory} GB de memória, no máximo.",
        "cost.energy": "A energia e as emissões não foram medidas.",
        # Licence.
        "licence": "Modelo de base e licença",
        "licence.known": "O modelo de base é {base}, com a licença {licence} ({source}).",
        "licence.unknown": "O modelo de base é {base}. O afina não conhece a sua licença.",
        "licence.own": "Ninguém escolheu uma licença para este modelo. Quem o publicar acrescenta `license:` ao bloco "
        "do início, e vê se as licenças do modelo de base e dos dados o permitem.",
        "written": "Escrito pelo afina {version} a partir dos registos do treino; `afina card` volta a escrevê-lo.",
    },
)

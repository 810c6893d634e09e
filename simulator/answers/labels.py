"""The labels of the classification models: a good hundred of ImageNet's thousand, and those of the NSFW model."""

NSFW = ("normal", "nsfw")
IMAGENET = tuple(
    """Egyptian cat; tabby, tabby cat; Persian cat; Siamese cat, Siamese; tiger cat; lynx, catamount; golden retriever;
    Labrador retriever; German shepherd; beagle; pug, pug-dog; Siberian husky; red fox, Vulpes vulpes; timber wolf;
    brown bear, bruin; giant panda; African elephant; zebra; sorrel; ox; ram, tup; llama; Arabian camel; gorilla;
    chimpanzee, chimp; koala, koala bear; wallaby, brush kangaroo; hare; hamster; beaver; otter; skunk; badger; lion;
    tiger, Panthera tigris; cheetah, chetah; snow leopard, ounce; goldfish, Carassius auratus; great white shark;
    hammerhead; stingray; cock; hen; ostrich; goldfinch; robin; jay; magpie; bald eagle; great grey owl; flamingo;
    pelican; king penguin; albatross, mollymawk; common iguana; chameleon; box turtle; tree frog; scorpion; tarantula;
    ladybug; bee; ant; monarch butterfly; snail; jellyfish; starfish, sea star; king crab; American lobster;
    suspension bridge; steel arch bridge; viaduct; pier; breakwater; castle; church; lighthouse, beacon light; palace;
    barn; greenhouse; dome; fountain; obelisk; triumphal arch; seashore, coast, seacoast, sea-coast; sandbar, sand bar;
    lakeside, lakeshore; promontory, headland; cliff, drop; valley, vale; volcano; alp; geyser; coral reef; airliner;
    speedboat; canoe; gondola; container ship; fireboat; trimaran; steam locomotive; bullet train; streetcar, tram;
    school bus; fire engine; ambulance; sports car, sport car; convertible; minivan; pickup; mountain bike; moped;
    umbrella; backpack; coffee mug; teapot; wine bottle; desktop computer; notebook computer; acoustic guitar; violin;
    grand piano; soccer ball; pizza; cheeseburger; ice cream; strawberry; banana; lemon; pineapple; daisy""".replace(
        "\n    ", " "
    ).split("; ")
)

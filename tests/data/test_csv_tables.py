from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pictures import picture
from PIL import Image

from explorer.core.errors import BadInput
from explorer.data import open_images


@pytest.fixture
def table(tmp_path: Path):
    """Call with the text of a table beside six images, img/0.png to img/5.png: its path."""
    (tmp_path / "img").mkdir()
    for i in range(6):
        Image.fromarray(picture(i)).save(tmp_path / "img" / f"{i}.png")

    def write(text: str | bytes) -> str:
        (tmp_path / "set.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(tmp_path / "set.csv")

    return write


ROWS = "\n".join(f"img/{i}.png,{name}" for i, name in enumerate(["dog", "cat", "dog", "ant", "cat", "ant"]))
PAIRS = [row.split(",") for row in ROWS.split()]
RIGHT = {
    "no header": ROWS,
    "header": "path,label\n" + ROWS,
    "other names": "Filename,Class\n" + ROWS,
    "windows": "\ufeffpath,label\r\n" + ROWS.replace("\n", "\r\n") + "\r\n",
    "semicolons": "path;label\n" + ROWS.replace(",", ";"),
    "tabs": ROWS.replace(",", "\t"),
    "blank lines and spaces": "path , label\n\n" + ROWS.replace(",", " , ") + "\n\n",
    "more columns in another order": "id,label,path\n" + "\n".join(f"7,{label},{path}" for path, label in PAIRS),
    "label first": "\n".join(f"{label},{path}" for path, label in PAIRS),
    "windows paths": "path,label\n" + ROWS.replace("/", "\\"),
    "no suffixes": "image_id,label\n" + ROWS.replace(".png", ""),
    "unknown names": "id,kind\n" + ROWS,
    "row numbers of pandas": "Unnamed: 0,file,kind\n" + "\n".join(f"{i},{row}" for i, row in enumerate(ROWS.split())),
    "in a folder beside": "image_id,label\n" + ROWS.replace("img/", "").replace(".png", ""),
    "in a folder beside, unknown name": "id,breed\n" + ROWS.replace("img/", "").replace(".png", ""),
    "one-hot": "image,ant,cat,dog\n"
    + "\n".join(f"{p},{','.join(str(float(name == c)) for c in ('ant', 'cat', 'dog'))}" for p, name in PAIRS),
    "utf-16": ("path,label\n" + ROWS).encode("utf-16"),
    "quotes": "path,label\n" + "\n".join(f'"{path}","{label}"' for path, label in PAIRS),
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_rows_are_images(table, text):
    images = open_images(table(text))
    assert images.name == "set"
    assert images.classes == ("ant", "cat", "dog")
    assert images.labels.tolist() == [2, 1, 2, 0, 1, 0]
    assert images.skipped == {}
    assert not images.stored_splits
    assert all(np.array_equal(np.asarray(images.image(i)), picture(i)) for i in range(6))


def test_whole_numbers_count_the_classes(table):
    images = open_images(table("img/0.png,10\nimg/1.png,2\nimg/2.png,0"))
    assert images.classes == tuple(map(str, range(11)))
    assert images.labels.tolist() == [10, 2, 0]


@pytest.mark.parametrize(
    ("given", "classes", "labels", "note"),
    [
        ("1 2 3 1", "0 1 2", [0, 1, 2, 0], "Labels 1 to 3 are read as classes 0 to 2, as there is no label 0."),
        ("0.0 10.0 2.0 0.0", " ".join(map(str, range(11))), [0, 10, 2, 0], "8 of the classes 0 to 10 have no image."),
        ("2 3 2 3", "0 1 2 3", [2, 3, 2, 3], "2 of the classes 0 to 3 have no image."),
        ("1 one 2 two", "1 2 one two", [0, 2, 1, 3], ""),
    ],
)
def test_labels_that_are_numbers_say_how_they_were_read(table, given, classes, labels, note):
    images = open_images(table("\n".join(f"img/{i}.png,{label}" for i, label in enumerate(given.split()))))
    assert images.classes == tuple(classes.split())
    assert images.labels.tolist() == labels
    assert images.account() == note


def test_other_letters_and_a_label_column_of_unknown_name_are_noted(table):
    images = open_images(table("id,kind\nimg/0.png,Käfer\nimg/1.png,Ameise\n".encode("cp1252")))
    assert images.classes == ("Ameise", "Käfer")
    assert images.notes[0].startswith("It is no UTF-8 text and was read as Windows-1252")
    header = "The first row, 'id,kind', is read as a header."
    assert images.notes[1:] == (header, "Labels are those of the column 'kind'.")


def test_which_of_several_columns_for_one_thing_is_read_is_noted(table):
    images = open_images(table("label,path,class_name\n1,img/0.png,dog\n0,img/1.png,cat\n"))
    assert images.classes == ("0", "1")
    assert images.notes == ("Of the columns label, class_name the first is read.",)


def test_one_hot_classes_are_in_the_order_of_their_columns(table):
    images = open_images(table("image,dog,emu,ant\nimg/0.png,1,0,0\nimg/1.png,0,0,1"))
    assert (images.classes, images.labels.tolist()) == (("dog", "emu", "ant"), [0, 2])
    assert images.notes == ("Labels are one-hot: classes are the columns dog, emu, ant.",)


def test_images_in_a_folder_that_is_not_named_are_told(table):
    images = open_images(table("Class ID,image name\n4,0.png\n3,img/1.png\n0,2"))
    assert images.labels.tolist() == [4, 3, 0]
    assert images.notes == ("2 images named without a folder are in img.", "2 of the classes 0 to 4 have no image.")


def test_a_name_that_images_in_two_folders_have_is_refused(table, tmp_path):
    (tmp_path / "more").mkdir()
    Image.fromarray(picture(9)).save(tmp_path / "more" / "0.png")
    with pytest.raises(BadInput, match=r"line 2, names 0: both .*img/0\.png and .*more/0\.png are there; give"):
        open_images(table("image_id,label\n0,a\n1,b"))


def test_a_data_set_column_is_one_of_splits_only_where_it_holds_such(table):
    rows = [f"{row},{part}" for row, part in zip(ROWS.split(), ["train"] * 4 + ["valid", "test"], strict=True)]
    images = open_images(table("filepaths,labels,data set\n" + "\n".join(rows)))
    assert (images.splits["validation"].tolist(), images.splits["test"].tolist()) == ([4], [5])
    other = open_images(table("image_id,dx,dataset\n" + "\n".join(f"{row},clinic" for row in ROWS.split())))
    assert (other.classes, other.stored_splits) == (("ant", "cat", "dog"), False)


def test_labels_that_are_also_names_of_images_are_labels(tmp_path):
    for i in range(2):
        Image.fromarray(picture(i)).save(tmp_path / f"{i}.png")
    (tmp_path / "set.csv").write_text("0.png,1\n1.png,0")
    assert open_images(str(tmp_path / "set.csv")).labels.tolist() == [1, 0]


def test_absolute_paths(table, tmp_path):
    text = f"{tmp_path}/img/3.png,a\nimg/1.png,b"
    assert np.array_equal(np.asarray(open_images(table(text)).image(0)), picture(3))


def test_a_name_without_suffix_that_two_files_have_is_refused(table, tmp_path):
    Image.fromarray(picture(0)).save(tmp_path / "img" / "0.jpg")
    with pytest.raises(BadInput, match=r"line 2, names img/0: both .*img/0\.jpg and .*img/0\.png are there"):
        open_images(table("image_id,label\nimg/0,a"))


def test_files_that_cannot_be_read_are_skipped_and_named(table, tmp_path):
    (tmp_path / "img" / "1.png").write_bytes(b"no image")
    images = open_images(table(ROWS + "\nimg/absent.png,emu"))
    assert list(images.skipped) == [str(tmp_path / "img" / "1.png"), str(tmp_path / "img" / "absent.png")]
    assert images.classes == ("ant", "cat", "dog", "emu")
    assert images.labels.tolist() == [2, 2, 0, 1, 0]


def test_a_column_of_splits(table):
    parts = ["train", "train", "train", "train", "val", "test"]
    rows = [f"{row},{part}" for row, part in zip(ROWS.split(), parts, strict=True)]
    images = open_images(table("path,label,split\n" + "\n".join(rows)))
    assert images.stored_splits
    assert (images.splits["validation"].tolist(), images.splits["test"].tolist()) == ([4], [5])
    assert sorted([*images.splits["finetune"], *images.splits["calibration"]]) == [0, 1, 2, 3]


BAD = {
    "empty": ("", "set.csv is empty: it needs a row an image"),
    "header alone": ("path,label\n", "names no images"),
    "one name twice": ("path,label,Label\nimg/0.png,a,b", "several columns are called label; rename all but one"),
    "no path column": ("name,label\na,b", "begins with 'name,label': give a header with path and label"),
    "three values": ("img/0.png,a\nimg/1.png,b,c", "line 2, has 3 values: a row without a header is path, label"),
    "one value": ("img/0.png,a\nimg/1.png", "line 2, has 1 values"),
    "no label": ("path,label\nimg/0.png,\nimg/1.png,", "column 'label', is empty in every row: images without labels"),
    "short row": ("path,label\nimg/0.png", "column 'label', is empty in every row"),
    "no path": ("path,label\n ,a", "line 2, has the path ''"),
    "control characters": ("path,label\nimg/0.png,a\x07", r"line 2, has the label 'a\\x07'"),
    "twice": ("img/0.png,a\nimg/1.png,b\nimg/../img/0.png,b", "line 3, names img/../img/0.png again: .* line 1"),
    "nothing readable": ("img/8.png,a\nimg/9.png,b", "names 2 images, and none of them can be read: .*8.png"),
    "other text": (b"\xff\xfe\x00", "not UTF-8"),
    "open quote": ('path,label\n"img/0.png,a', "can't be read as a table"),
    "number too high": ("img/0.png,0\nimg/1.png,70000", "has 70,001 classes: at most 65,536 classes are read"),
    "number below": ("path,label\nimg/0.png,-2\nimg/1.png,0", "column 'label', has the label -2: classes are numbered"),
    "minus one alone": ("path,label\nimg/0.png,-1\nimg/1.png,-1", "has the label -1: classes are numbered from 0"),
    "plus and minus": ("path,label\nimg/0.png,-1\nimg/1.png,1", "has the labels -1 and 1 alone: write 0 and 1"),
    "no whole number": ("img/0.png,0.5\nimg/1.png,1", "has the label '0.5': classes are whole numbers, or names"),
    "columns of numbers": ("path,cat,dog\nimg/0.png,1,7", "'path,cat,dog': which of its columns holds the labels"),
    "two classes in a row": (
        "path,cat,dog\nimg/0.png,1,0\nimg/1.png,1,1",
        "line 3, has '1,1' in its columns of",
    ),
    "no class in a row": ("path,cat,dog\nimg/0.png,1,0\nimg/1.png,0,0", "line 3, has '0,0' in its columns of"),
    "half a class": ("path,cat,dog\nimg/0.png,1,0\nimg/1.png,1,0.5", "line 3, has '1,0.5' in its columns of classes"),
    "two columns of paths": ("img/0.png,img/1.png", "the columns 1 and 2 both hold paths"),
    "odd split": ("path,label,split\nimg/0.png,a,extra", "the stored splits are extra"),
    "blank split": ("path,label,split\nimg/0.png,a,", "line 2, has the split ''"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_tables_give_one_sentence(table, text, message):
    with pytest.raises(BadInput, match=message) as caught:
        open_images(table(text))
    assert "\n" not in str(caught.value)


def test_columns_that_are_not_read_are_told(table):
    images = open_images(table(",path,label,age,x1\n0,img/0.png,dog,3,4\n1,img/1.png,cat,5,6\n"))
    assert images.classes == ("cat", "dog")
    assert images.notes == ("Not read: the columns 'age', 'x1'.",)


def test_usage_is_a_split_where_its_values_are_called_like_some(table):
    rows = "".join(f"img/{i}.png,{'ab'[i % 2]},{{{i // 2}}}\n" for i in range(4))
    assert open_images(table("path,label,Usage\n" + rows.format("Training", "PublicTest"))).stored_splits
    images = open_images(table("path,label,Usage\n" + rows.format("home", "office")))
    assert (images.stored_splits, images.notes) == (False, ("Not read: the column 'Usage'.",))


def test_addresses_in_the_web_are_not_fetched(table):
    with pytest.raises(BadInput, match=r"line 2, names 'https://images.example/0.png': nothing is downloaded"):
        open_images(table("path,label\nhttps://images.example/0.png,cat\n"))


@pytest.mark.parametrize("root", ["C:\\Users\\Ann\\set", "/home/other/set", "\\\\host\\share\\set", "D:/set"])
def test_paths_of_another_computer_are_those_that_end_alike(table, tmp_path, root):
    join = "\\" if "\\" in root else "/"
    (tmp_path / "0.png").write_bytes((tmp_path / "img" / "0.png").read_bytes())  # a shorter ending is not taken
    rows = [f"{root}{join}img{join}{i}.png,{i % 2}" for i in range(6)]
    images = open_images(table("\n".join(["path,label", *rows])))
    assert [Path(images.image_name(i)).parent.name for i in range(6)] == ["img"] * 6
    assert images.notes[0].startswith("6 paths of another place: what ends alike here is read, as img/0.png for ")


def test_rows_with_minus_one_are_unlabelled_where_others_are_numbered(table):
    images = open_images(table("path,label\nimg/0.png,0\nimg/1.png,-1\nimg/2.png,1\nimg/3.png,-1\nimg/4.png,0"))
    assert (images.classes, images.labels.tolist()) == (("0", "1"), [0, 1, 0])
    assert images.account().startswith("2 of 5 images left out: unlabelled, with the label -1 (2: ")


def test_rows_without_a_label_are_left_out_and_counted(table):
    images = open_images(table("path,label\nimg/0.png,dog\nimg/1.png,\nimg/2.png,cat\nimg/3.png"))
    assert (images.classes, images.labels.tolist()) == (("cat", "dog"), [1, 0])
    assert images.account().startswith("2 of 4 images left out: unlabelled, with an empty label (2: ")
    numbered = open_images(table("path,label\nimg/0.png,0\nimg/1.png,\nimg/2.png,1\nimg/3.png,-1"))
    assert list(numbered.skipped.values()) == ["unlabelled, with an empty label", "unlabelled, with the label -1"]


@pytest.mark.parametrize("written", ["img/{}.PNG", "IMG\\{}.PNG", "{}.PNG", "/home/me/IMG/{}.PNG"])
def test_names_with_other_capitals_than_the_files_are_found_and_told(table, written):
    images = open_images(table("path,label\n" + "\n".join(f"{written.format(i)},{i % 2}" for i in range(6))))
    assert [Path(images.image_name(i)).name for i in range(6)] == [f"{i}.png" for i in range(6)]
    told = "6 paths of another place" if "home" in written else "6 names with other capitals than the files'"
    assert told in images.account()


def test_a_name_that_two_files_have_but_for_capitals_is_refused(table, tmp_path):
    for name in ("a.png", "A.png"):
        Image.fromarray(picture(0)).save(tmp_path / "img" / name)
    with pytest.raises(BadInput, match=r"line 2, names img/a\.PNG: both .*A\.png and .*a\.png are there"):
        open_images(table("path,label\nimg/a.PNG,x\nimg/0.png,y"))
    assert len(open_images(table("path,label\nimg/a.png,x\nimg/A.png,y"))) == 2

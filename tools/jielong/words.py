"""The words of the sentences. A text is written with spaces between its words; it is read without them."""

from __future__ import annotations

from typing import NamedTuple


class Country(NamedTuple):
    """A country with its capital and its part of the world."""

    name: str
    capital: str
    where: str


COUNTRIES = [
    Country(*line.split())
    for line in (
        "中国 北京 亚洲",
        "日本 东京 亚洲",
        "印度 新德里 亚洲",
        "泰国 曼谷 亚洲",
        "蒙古 乌兰巴托 亚洲",
        "法国 巴黎 欧洲",
        "德国 柏林 欧洲",
        "英国 伦敦 欧洲",
        "意大利 罗马 欧洲",
        "希腊 雅典 欧洲",
        "西班牙 马德里 欧洲",
        "波兰 华沙 欧洲",
        "埃及 开罗 非洲",
        "肯尼亚 内罗毕 非洲",
        "古巴 哈瓦那 美洲",
        "秘鲁 利马 美洲",
    )
]

PEOPLE = ["小明", "小红", "小刚", "小丽", "小华", "小芳", "张三", "李四", "王五", "爷爷", "奶奶", "老师"]
PARENTS = ["国王", "王后", "农民", "医生", "渔夫", "船长", "将军", "木匠", "裁缝", "猎人"]
SONS, DAUGHTERS = ["儿子", "男孩", "孙子"], ["女儿", "女孩", "孙女"]
THINGS = ["王宫", "花园", "宝剑", "金币", "房子", "马车", "田地", "书店", "渔船", "果园"]

COUNTED = {
    "只": ["猫", "狗", "鸟", "鸡", "兔子", "羊"],
    "条": ["鱼", "蛇", "裤子", "河", "围巾"],
    "本": ["书", "词典", "小说", "日记"],
    "匹": ["马", "骆驼"],
    "棵": ["树", "白菜", "松树", "草"],
    "朵": ["花", "云", "玫瑰"],
    "把": ["伞", "椅子", "刀", "钥匙"],
    "张": ["纸", "桌子", "地图", "床", "照片"],
    "辆": ["汽车", "自行车", "卡车"],
    "件": ["衣服", "毛衣", "衬衫"],
    "座": ["山", "桥", "塔"],
    "支": ["笔", "铅笔", "蜡烛"],
}
"""The nouns of each measure word."""
NUMBERS = ["一", "两", "三", "四", "五", "六", "七", "八", "九", "十"]
"""As they are said before a measure word."""

FOOD = ["苹果", "米饭", "面条", "饺子", "香蕉", "西瓜", "包子", "鱼肉"]
DRINKS = ["水", "茶", "牛奶", "果汁", "咖啡", "豆浆"]

IDIOMS = (
    "画蛇 添足",
    "足智 多谋",
    "谋事 在人",
    "人山 人海",
    "海阔 天空",
    "空前 绝后",
    "后来 居上",
    "上下 一心",
    "心想 事成",
    "成千 上万",
    "万众 一心",
    "心口 如一",
    "一心 一意",
    "意气 风发",
    "发扬 光大",
    "大同 小异",
    "异口 同声",
    "声东 击西",
)
"""Each begins with the character with which the one before it ends."""

VERSES = (
    "床前 明月 光 ， 疑是 地上 霜 。 举头 望 明月 ， 低头 思 故乡 。",
    "春眠 不觉 晓 ， 处处 闻 啼鸟 。 夜来 风雨 声 ， 花落 知 多少 。",
    "白日 依 山 尽 ， 黄河 入 海 流 。 欲穷 千里 目 ， 更上 一层 楼 。",
    "离离 原上 草 ， 一岁 一枯荣 。 野火 烧 不尽 ， 春风 吹 又生 。",
)
"""Four poems of the Tang dynasty: by Li Bai, Meng Haoran, Wang Zhihuan and Bai Juyi."""

SAYINGS = (
    "你 是 什么 意思 ？ 我 没 什么 意思 ， 就是 意思 意思 。",
    "汉字 的 顺序 并 不 一定 影响 阅读 。",
    "北京 是 中华 人民 共和国 的 首都 。",
)
FAIR = ["好看", "漂亮", "干净", "特别", "新"]
PLACES = ["学校", "公园", "家里", "商店", "河边", "山上"]
